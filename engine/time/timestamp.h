#pragma once

#include <cstdint>
#include <limits>

namespace streamrun {

/// A moment in the time of events, or of the clock on the wall: milliseconds since 1970-01-01 UTC.
using Timestamp = std::int64_t;

/// Event time before the first watermark.
inline constexpr Timestamp kMinTimestamp = std::numeric_limits<Timestamp>::min();
/// Event time once the input has ended.
inline constexpr Timestamp kMaxTimestamp = std::numeric_limits<Timestamp>::max();

}  // namespace streamrun
