#pragma once

#include <streamrun/runtime/input_gate.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wake_counter.h"

namespace streamrun {

/// `@9` for a watermark, `idle` or `active`.
inline std::string text_of(const WatermarkEvent& event) {
  if (const auto* const watermark = std::get_if<Watermark>(&event))
    return "@" + std::to_string(watermark->timestamp);
  return std::get<WatermarkStatus>(event).is_idle ? "idle" : "active";
}

/// A gate and the writers to all its channels, on one thread. A record is a number.
class GateWorld {
 public:
  GateWorld(std::size_t channels, bool exactly_once, const Clock* clock = nullptr)
      : gate(channels, exactly_once, clock) {
    for (std::size_t i = 0; i < channels; ++i) {
      channels_.push_back(std::make_unique<Channel>(i, gate.ready_channels(), consumer_.target,
                                                    producer_.target, &gate.announced_channels()));
      gate.set_channel(i, *channels_.back());
      writers_.push_back(std::make_unique<ChannelWriter>(*channels_.back()));
    }
  }

  GateWorld& record(std::size_t channel, std::int64_t number) {
    auto batch = std::make_unique<Batch<std::int64_t>>();
    batch->append(number);
    writers_[channel]->send(std::move(batch));
    return *this;
  }
  GateWorld& barrier(std::size_t channel, CheckpointId id) {
    writers_[channel]->send_event(CheckpointBarrier{.id = id, .target = {}});
    return *this;
  }
  /// One that is announced, and may overtake from `at` on.
  GateWorld& announced(std::size_t channel, CheckpointId id, Instant at) {
    writers_[channel]->send_barrier({.id = id, .target = {}, .triggered = {}, .overtake_at = at});
    return *this;
  }
  GateWorld& watermark(std::size_t channel, Timestamp time) {
    writers_[channel]->send_event(WatermarkEvent(Watermark{time}));
    return *this;
  }
  GateWorld& idle(std::size_t channel, bool is_idle = true) {
    writers_[channel]->send_event(WatermarkEvent(WatermarkStatus{.is_idle = is_idle}));
    return *this;
  }
  GateWorld& end(std::size_t channel) {
    writers_[channel]->send_event(EndOfInput{});
    return *this;
  }

  bool has_room(std::size_t channel) { return writers_[channel]->have_room(); }
  int wakes_of_writers() const { return producer_.wakes(); }
  void push_overflow() {
    for (auto& writer : writers_) writer->have_room();
  }
  /// `5` for a record, `|7` for a barrier, `@9` for a watermark, `idle`, `active`, `end`, or
  /// nothing.
  std::string poll() {
    push_overflow();
    GateInput input = gate.poll();
    if (auto* const batch = std::get_if<std::unique_ptr<AnyBatch>>(&input)) {
      const std::int64_t number = static_cast<Batch<std::int64_t>&>(**batch)[0];
      gate.recycle(std::move(*batch));
      return std::to_string(number);
    }
    if (const auto* const barrier = std::get_if<CheckpointBarrier>(&input))
      return "|" + std::to_string(barrier->id);
    if (const auto* const event = std::get_if<WatermarkEvent>(&input)) return text_of(*event);
    return std::holds_alternative<EndOfInput>(input) ? "end" : "";
  }
  /// Everything that there is now, with blanks between.
  std::string drain() {
    std::string all;
    for (std::string next = poll(); !next.empty(); next = poll())
      all += (all.empty() ? "" : " ") + next;
    return all;
  }

  InputGate gate;

 private:
  CountedTarget consumer_{1};
  CountedTarget producer_{2};
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;
};

}  // namespace streamrun
