#pragma once

#include <streamrun/base/unique_function.h>

#include <memory>

namespace streamrun::sim {

/// A call that can be left in the middle and taken up again, on a stack of its own: what a thread
/// does between two steps, without a thread. A lock that another fiber holds is waited for by
/// pausing. Used by one thread. Under a sanitizer, which would have to be told of each change of
/// stacks, `pause` does nothing and calls run as a whole.
class Fiber {
 public:
  explicit Fiber(UniqueFunction<void()> body);
  /// Its body must have ended, or never have begun.
  ~Fiber();
  Fiber(Fiber&&) noexcept;
  Fiber& operator=(Fiber&&) noexcept;

  /// Runs it until it pauses or ends; true if it has ended.
  bool resume();
  /// Leaves the fiber that is running, if one is, until it is resumed.
  static void pause();
  static bool is_running();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace streamrun::sim
