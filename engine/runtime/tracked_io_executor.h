#pragma once

#include <streamrun/platform/executor.h>

#include <atomic>
#include <functional>
#include <memory>

namespace streamrun {

/// Counts the I/O jobs of one attempt: what they work on may be destroyed only when none is left.
class TrackedIoExecutor final : public IoExecutor {
 public:
  /// `on_idle` is called, on an I/O thread, each time that the last job has ended; it must not
  /// destroy this object itself but post to whoever does.
  TrackedIoExecutor(IoExecutor& io, std::function<void()> on_idle)
      : io_(io), state_(std::make_shared<State>(std::move(on_idle))) {}

  void submit(UniqueFunction<void()> job) override {
    state_->jobs.fetch_add(1);
    io_.submit([state = state_, job = std::move(job)]() mutable {
      job();
      job = {};  // what it holds is released before it counts as ended
      if (state->jobs.fetch_sub(1) == 1) state->on_idle();
    });
  }
  bool idle() const { return state_->jobs.load() == 0; }

 private:
  struct State {
    explicit State(std::function<void()> idle) : on_idle(std::move(idle)) {}
    std::atomic<int> jobs{0};
    std::function<void()> on_idle;
  };
  IoExecutor& io_;
  std::shared_ptr<State> state_;
};

}  // namespace streamrun
