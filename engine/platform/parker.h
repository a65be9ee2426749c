#pragma once

#include <streamrun/platform/clock.h>

#include <atomic>
#include <cstdint>
#include <optional>

namespace streamrun {

/// Puts one thread, the owner, to sleep until another one calls `unpark`. No wake-up is lost under
/// this protocol:
///
///   owner:  announce();  look for work;  found: withdraw();  nothing: park(deadline)
///   other:  publish work;  unpark()
///
/// Invariant: publishing, `announce`, looking and the look inside `unpark` are sequentially
/// consistent operations. So in their one order either the work comes before the owner's look, and
/// the owner sees it, or the announcement comes before the other's look, and the other wakes the
/// owner. (Operations and not fences, as the thread sanitizer does not know fences.)
class Parker {
 public:
  /// Owner only: from here on `unpark` takes effect.
  void announce() { parked_.store(1, std::memory_order_seq_cst); }
  /// Owner only: takes the announcement back.
  void withdraw() { parked_.store(0, std::memory_order_relaxed); }
  /// Owner only, after `announce`: sleeps until `unpark` or the deadline; may return early.
  void park(std::optional<Instant> deadline);
  /// Any thread. One load while the owner is awake.
  void unpark() {
    if (parked_.load(std::memory_order_seq_cst) != 0) wake_owner();
  }

 private:
  void wake_owner();

  std::atomic<std::uint32_t> parked_{0};
};

}  // namespace streamrun
