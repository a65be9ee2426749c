#include "parker.h"

#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace streamrun {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t),
              "the kernel reads the plain word");

std::timespec timespec_of(Instant instant) {
  const auto since = instant.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {.tv_sec = seconds.count(), .tv_nsec = (since - seconds).count()};
}

}  // namespace

void Parker::park(std::optional<Instant> deadline) {
  std::timespec until{};
  if (deadline) {
    if (deadline->time_since_epoch() <= Duration::zero()) return withdraw();
    until = timespec_of(*deadline);
  }
  // The bitset form takes an absolute time of the monotonic clock, which is the clock of `Instant`.
  // It returns at once if the word is no longer 1. Why it returned does not matter: the owner looks
  // for work again.
  syscall(SYS_futex, &parked_, FUTEX_WAIT_BITSET_PRIVATE, 1U, deadline ? &until : nullptr, nullptr,
          FUTEX_BITSET_MATCH_ANY);
  withdraw();
}

void Parker::wake_owner() {
  if (parked_.exchange(0, std::memory_order_seq_cst) == 0) return;  // another thread wakes it
  syscall(SYS_futex, &parked_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace streamrun
