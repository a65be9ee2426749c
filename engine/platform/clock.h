#pragma once

#include <chrono>
#include <cstdint>

namespace streamrun {

using Duration = std::chrono::nanoseconds;

/// A moment of the monotonic clock; only differences mean anything, and only within one process.
using Instant = std::chrono::time_point<struct MonotonicClockTag, Duration>;

/// Time, as the engine sees it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  /// Milliseconds since 1970-01-01 UTC, for what people and metadata see; may jump.
  virtual std::int64_t unix_milliseconds() const = 0;
};

}  // namespace streamrun
