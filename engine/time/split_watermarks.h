#pragma once

#include <streamrun/time/periodic_watermarks.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace streamrun {

/// The watermarks of one subtask of a source that reads several splits (partitions): each has its
/// own, and the least of those that are not idle holds for all, as Flink's sources have it. So one
/// that is behind holds the others back, instead of being late, and one that is idle holds up
/// nobody. It never goes back. Without a split the subtask is as one without records: idle after
/// the idleness. Pure: time comes in.
class SplitWatermarks {
 public:
  SplitWatermarks(const WatermarkOptions& options, Duration interval);

  /// Splits have the numbers 0, 1, … in the order in which they come.
  void add_split();
  void on_records(std::size_t split, Timestamp latest) { splits_[split].own.on_records(latest); }
  /// Nobody waits for it any more.
  void end_split(std::size_t split) { splits_[split].has_ended = true; }

  /// As those of `PeriodicWatermarks`.
  std::optional<WatermarkEvent> poll(Instant now);
  std::optional<Instant> next_deadline() const;
  void pause();

 private:
  struct Split {
    PeriodicWatermarks own;
    Timestamp watermark = kMinTimestamp;
    bool is_idle = false;
    bool has_ended = false;
  };
  static void look_at(Split& split, Instant now);
  std::optional<WatermarkEvent> change();
  bool reads_nothing() const;

  const WatermarkOptions options_;
  const Duration interval_;
  std::vector<Split> splits_;
  Split without_;  ///< stands for the splits while there are none
  Timestamp last_ = kMinTimestamp;
  bool is_idle_ = false;
  std::optional<Instant> look_again_at_ = {};
};

}  // namespace streamrun
