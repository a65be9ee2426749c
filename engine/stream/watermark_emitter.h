#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/time/watermark.h>

#include <optional>

namespace streamrun {

/// What the runtime needs of an operator that makes watermarks: it asks for them between two steps
/// and sends them on behind the records. Those that come to the operator from before it end there.
/// Calls come from the thread that owns the task.
class WatermarkEmitter {
 public:
  virtual ~WatermarkEmitter() = default;
  /// What is due, to be sent on; none when that is all.
  virtual std::optional<WatermarkEvent> next_watermark(Instant now) = 0;
  virtual std::optional<Instant> next_watermark_at() const = 0;
  /// The task can't read, so that no record comes: that is not idleness.
  virtual void pause_idleness() = 0;
};

}  // namespace streamrun
