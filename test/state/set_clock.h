#pragma once

#include <streamrun/platform/clock.h>

#include <cstdint>

namespace streamrun {

/// A clock that stands where a test has set it.
class SetClock final : public Clock {
 public:
  Instant now() const override { return Instant(Duration(milliseconds * 1'000'000)); }
  std::int64_t unix_milliseconds() const override { return milliseconds; }
  std::int64_t milliseconds = 1'700'000'000'000;
};

}  // namespace streamrun
