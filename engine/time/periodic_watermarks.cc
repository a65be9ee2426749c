#include <streamrun/time/periodic_watermarks.h>

#include <algorithm>
#include <chrono>

namespace streamrun {
namespace {

constexpr Duration kTick = Duration(1);

}  // namespace

PeriodicWatermarks::PeriodicWatermarks(const WatermarkOptions& options, Duration interval)
    : options_(options),
      held_back_(
          std::chrono::duration_cast<std::chrono::milliseconds>(options.out_of_orderness).count() +
          1),
      interval_(interval) {}

/// Not below the least there is.
Timestamp PeriodicWatermarks::watermark() const {
  return latest_ < kMinTimestamp + held_back_ ? kMinTimestamp : latest_ - held_back_;
}

bool PeriodicWatermarks::is_quiet_too_long(Instant now) const {
  return options_.idleness && now - *quiet_since_ > *options_.idleness;
}

void PeriodicWatermarks::on_records(Timestamp latest) {
  latest_ = std::max(latest_, latest);
  saw_records_ = true;
}

std::optional<WatermarkEvent> PeriodicWatermarks::poll(Instant now) {
  if (interval_ <= Duration(0)) return std::nullopt;
  if (!due_) due_ = now + interval_;
  if (saw_records_ || !quiet_since_) quiet_since_ = now;
  if (saw_records_) {
    saw_records_ = false;
    if (is_idle_) {
      is_idle_ = false;
      return WatermarkStatus{.is_idle = false};
    }
  }
  const bool is_overdue = !is_idle_ && is_quiet_too_long(now);
  const bool falls_idle = is_overdue && was_overdue_;
  // What it knows goes out before it falls idle.
  if (!is_idle_ && watermark() > last_ && (now >= *due_ || falls_idle)) {
    due_ = now + interval_;
    last_ = watermark();
    return Watermark{last_};
  }
  if (!falls_idle) {
    // It may be the task that was held up: its input is looked at once more first.
    was_overdue_ = is_overdue;
    return std::nullopt;
  }
  was_overdue_ = false;
  is_idle_ = true;
  return WatermarkStatus{.is_idle = true};
}

std::optional<Instant> PeriodicWatermarks::next_deadline() const {
  if (interval_ <= Duration(0) || is_idle_) return std::nullopt;
  std::optional<Instant> nearest;
  if (watermark() > last_) nearest = due_;
  if (options_.idleness && quiet_since_) {
    const Instant idle_at = *quiet_since_ + *options_.idleness + kTick;
    nearest = std::min(idle_at, nearest.value_or(idle_at));
  }
  return nearest;
}

}  // namespace streamrun
