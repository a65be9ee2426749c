#include <streamrun/time/split_watermarks.h>

#include <algorithm>
#include <chrono>

namespace streamrun {
namespace {

/// So that many splits cost a busy task nothing.
constexpr Duration kLookEvery = std::chrono::milliseconds(5);

}  // namespace

SplitWatermarks::SplitWatermarks(const WatermarkOptions& options, Duration interval)
    : options_(options), interval_(interval), without_{.own = {options, interval}} {}

void SplitWatermarks::add_split() {
  splits_.push_back({.own = {options_, interval_}});
}

bool SplitWatermarks::reads_nothing() const {
  return std::all_of(splits_.begin(), splits_.end(),
                     [](const Split& split) { return split.has_ended; });
}

void SplitWatermarks::look_at(Split& split, Instant now) {
  while (const auto event = split.own.poll(now)) {
    if (const auto* const watermark = std::get_if<Watermark>(&*event)) {
      split.watermark = watermark->timestamp;
    } else {
      split.is_idle = std::get<WatermarkStatus>(*event).is_idle;
    }
  }
}

/// What is new for all: a subtask is active before its watermark rises, and idle after.
std::optional<WatermarkEvent> SplitWatermarks::change() {
  bool all_idle = reads_nothing() ? without_.is_idle : true;
  Timestamp least = kMaxTimestamp;
  Timestamp greatest = last_;
  for (const Split& split : splits_) {
    if (split.has_ended) continue;
    greatest = std::max(greatest, split.watermark);
    if (split.is_idle) continue;
    all_idle = false;
    least = std::min(least, split.watermark);
  }
  if (is_idle_ && !all_idle) {
    is_idle_ = false;
    return WatermarkStatus{.is_idle = false};
  }
  // Those that have ended or never came say nothing.
  const Timestamp holds = all_idle ? greatest : least == kMaxTimestamp ? last_ : least;
  if (holds > last_) {
    last_ = holds;
    return Watermark{last_};
  }
  if (all_idle && !is_idle_) {
    is_idle_ = true;
    return WatermarkStatus{.is_idle = true};
  }
  return std::nullopt;
}

std::optional<WatermarkEvent> SplitWatermarks::poll(Instant now) {
  if (look_again_at_ && now < *look_again_at_) return std::nullopt;
  if (reads_nothing()) look_at(without_, now);
  for (Split& split : splits_) {
    if (!split.has_ended) look_at(split, now);
  }
  const auto event = change();
  look_again_at_ = event ? std::nullopt : std::optional(now + std::min(kLookEvery, interval_));
  return event;
}

std::optional<Instant> SplitWatermarks::next_deadline() const {
  std::optional<Instant> nearest;
  const auto take = [&](const Split& split) {
    const auto deadline = split.own.next_deadline();
    if (deadline) nearest = std::min(*deadline, nearest.value_or(*deadline));
  };
  if (reads_nothing()) take(without_);
  for (const Split& split : splits_) {
    if (!split.has_ended) take(split);
  }
  if (nearest && look_again_at_) nearest = std::max(*nearest, *look_again_at_);
  return nearest;
}

void SplitWatermarks::pause() {
  without_.own.pause();
  for (Split& split : splits_) split.own.pause();
}

}  // namespace streamrun
