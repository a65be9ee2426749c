#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/time/watermark.h>
#include <streamrun/time/watermark_strategy.h>

#include <optional>

namespace streamrun {

/// The watermarks of one subtask, from the timestamps it has seen: the greatest, less the bound,
/// less a millisecond (Flink's BoundedOutOfOrdernessWatermarks). At most one an interval, and only
/// when it rises; with an interval of nothing there are none, as in Flink. Without records for
/// longer than the idleness it is idle. Pure: time comes in.
class PeriodicWatermarks {
 public:
  PeriodicWatermarks(const WatermarkOptions& options, Duration interval);

  /// Records have gone by; `latest` is the greatest of their timestamps.
  void on_records(Timestamp latest);
  /// What is due; to be called until there is nothing, also when `next_deadline` has come.
  std::optional<WatermarkEvent> poll(Instant now);
  std::optional<Instant> next_deadline() const;
  /// It could have seen no record, as nobody reads any: idleness is measured from the next `poll`
  /// on.
  void pause() { quiet_since_.reset(); }

 private:
  Timestamp watermark() const;
  bool is_quiet_too_long(Instant now) const;

  const WatermarkOptions options_;
  const Timestamp held_back_;  ///< milliseconds
  const Duration interval_;
  Timestamp latest_ = kMinTimestamp;
  Timestamp last_ = kMinTimestamp;  ///< the watermark that was given last
  bool was_overdue_ = false;        ///< at the last poll that let the task go on to its input
  bool is_idle_ = false;
  bool saw_records_ = false;  ///< since the last `poll`
  std::optional<Instant> due_ = {};
  std::optional<Instant> quiet_since_ = {};
};

}  // namespace streamrun
