#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/time/timestamp.h>

#include <optional>
#include <utility>

namespace streamrun {

/// How watermarks follow from timestamps.
struct WatermarkOptions {
  Duration out_of_orderness{0};           ///< whole milliseconds
  std::optional<Duration> idleness = {};  ///< none: never idle
};

/// A strategy that knows the timestamps of records: `timestamp_of(record)`, any projection that
/// gives a `Timestamp`. What `assign_timestamps_and_watermarks` takes.
template <typename F>
struct TimestampedWatermarkStrategy;

/// Flink's WatermarkStrategy, a value:
/// `WatermarkStrategy::for_bounded_out_of_orderness(5s).with_timestamp_assigner(&Order::time)`.
/// E-USAGE for a negative duration, or an idleness of nothing.
class WatermarkStrategy {
 public:
  /// Timestamps that never go back within a subtask.
  static WatermarkStrategy for_monotonous_timestamps() { return WatermarkStrategy({}); }
  /// A record comes at most this much of event time after one with a later timestamp.
  static WatermarkStrategy for_bounded_out_of_orderness(Duration most);

  /// A subtask that sees no record for longer than this is idle: nobody waits for its watermarks.
  WatermarkStrategy with_idleness(Duration timeout) const;
  template <typename F>
  TimestampedWatermarkStrategy<F> with_timestamp_assigner(F timestamp_of) const {
    return {options_, std::move(timestamp_of)};
  }
  const WatermarkOptions& options() const { return options_; }

 private:
  explicit WatermarkStrategy(const WatermarkOptions& options) : options_(options) {}
  template <typename F>
  friend struct TimestampedWatermarkStrategy;

  WatermarkOptions options_;
};

template <typename F>
struct TimestampedWatermarkStrategy {
  WatermarkOptions options;
  F timestamp_of;

  TimestampedWatermarkStrategy with_idleness(Duration timeout) const {
    return {WatermarkStrategy(options).with_idleness(timeout).options(), timestamp_of};
  }
};

}  // namespace streamrun
