#include <streamrun/base/assert.h>
#include <streamrun/platform/real_clock.h>

#include <cerrno>

#include <sys/random.h>

namespace streamrun {

Instant RealClock::now() const {
  return Instant(std::chrono::steady_clock::now().time_since_epoch());
}

std::int64_t RealClock::unix_milliseconds() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

std::uint64_t RealRandom::next() {
  std::uint64_t value = 0;
  while (getrandom(&value, sizeof value, 0) != sizeof value) {
    SR_ASSERT(errno == EINTR, "the kernel gives random bytes");
  }
  return value;
}

}  // namespace streamrun
