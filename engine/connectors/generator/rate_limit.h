#pragma once

#include <streamrun/platform/clock.h>

#include <cstdint>

namespace streamrun {

/// How many records may be emitted by now at so many per second. What back pressure held up is made
/// good for, at most a second's worth.
class RateLimit {
 public:
  /// Unlimited for 0.
  explicit RateLimit(double per_second = 0) : per_second_(per_second) {}

  bool is_unlimited() const { return per_second_ <= 0; }
  /// Up to `wanted` records; counts them as emitted. Time starts with the first call.
  std::uint64_t take(Instant now, std::uint64_t wanted);
  /// When the next record may follow; not before a millisecond has passed, so that fast rates come
  /// in small groups.
  Instant next(Instant now) const;

 private:
  double per_second_;
  bool started_ = false;
  Instant start_{};
  std::uint64_t taken_ = 0;  // since start_
};

}  // namespace streamrun
