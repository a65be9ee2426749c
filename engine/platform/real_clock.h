#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>

namespace streamrun {

/// The machine's clocks.
class RealClock final : public Clock {
 public:
  Instant now() const override;
  std::int64_t unix_milliseconds() const override;
};

/// The kernel's entropy.
class RealRandom final : public Random {
 public:
  std::uint64_t next() override;
};

}  // namespace streamrun
