#pragma once

#include <streamrun/time/watermark.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace streamrun {

/// Flink's StatusWatermarkValve: of the watermarks of several inputs one that holds for all. It is
/// the least of the inputs that are not idle, and never goes back: an input that is active again
/// counts once its own has caught up. When all are idle the greatest of their watermarks holds, and
/// the valve is idle.
///
/// An input that has ended is no longer waited for. Unlike Flink's, where it counts as the end of
/// time, it pushes nothing forward either: what an input that is idle for a while brings later is
/// not late because another one has ended. Owner's thread.
class WatermarkValve {
 public:
  explicit WatermarkValve(std::size_t inputs) : inputs_(inputs) {}

  /// What changes for all: the watermark comes first.
  struct Change {
    std::optional<Watermark> watermark = {};
    std::optional<WatermarkStatus> status = {};
    bool operator==(const Change&) const = default;
  };
  Change on_event(std::size_t input, const WatermarkEvent& event);
  Change on_end(std::size_t input);

 private:
  struct Input {
    Timestamp watermark = kMinTimestamp;
    bool is_idle = false;
    bool has_ended = false;
    bool counts = true;  ///< towards the least
  };
  Change on_watermark(Input& input, Timestamp watermark);
  Change on_status(Input& input, bool is_idle);
  Change without(Input& input);
  std::optional<Watermark> raised_to(Timestamp watermark);
  std::optional<Watermark> least();

  std::vector<Input> inputs_;
  Timestamp last_ = kMinTimestamp;  ///< what holds for all
  bool is_idle_ = false;
};

}  // namespace streamrun
