#pragma once

#include <streamrun/time/timestamp.h>

#include <variant>

namespace streamrun {

/// Flink's Watermark: no record with this timestamp or an earlier one is to follow. Those that do
/// are late.
struct Watermark {
  Timestamp timestamp = kMinTimestamp;
  bool operator==(const Watermark&) const = default;
};

/// Flink's WatermarkStatus: while its sender is idle it brings no watermarks, and nobody waits for
/// them.
struct WatermarkStatus {
  bool is_idle = false;
  bool operator==(const WatermarkStatus&) const = default;
};

/// What says how far event time is.
using WatermarkEvent = std::variant<Watermark, WatermarkStatus>;

}  // namespace streamrun
