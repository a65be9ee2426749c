#include <streamrun/connectors/generator/rate_limit.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace streamrun {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

std::uint64_t RateLimit::take(Instant now, std::uint64_t wanted) {
  if (is_unlimited()) return wanted;
  if (!started_) {
    started_ = true;
    start_ = now;
  }
  // The first record is due at once, the one after it 1 / rate later. The clock counts whole
  // nanoseconds, so a little is added for a deadline that was rounded.
  const double elapsed = Seconds(now - start_).count() + 1e-9;
  const auto due = static_cast<std::uint64_t>(elapsed * per_second_) + 1;
  const std::uint64_t count = due > taken_ ? std::min(due - taken_, wanted) : 0;
  taken_ += count;
  const auto second_of_records = static_cast<std::uint64_t>(per_second_) + 1;
  if (due > taken_ + second_of_records) {
    start_ = now - std::chrono::seconds(1);
    taken_ = 0;
  } else if (taken_ > (std::uint64_t{1} << 40U)) {
    start_ = now;  // so that no precision is lost in the long run
    taken_ = 1;
  }
  return count;
}

Instant RateLimit::next(Instant now) const {
  const auto wait = std::chrono::ceil<Duration>(Seconds(static_cast<double>(taken_) / per_second_));
  return std::max(start_ + wait, now + std::chrono::milliseconds(1));
}

}  // namespace streamrun
