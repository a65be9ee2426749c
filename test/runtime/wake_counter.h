#pragma once

#include <streamrun/runtime/channel.h>

#include <atomic>

namespace streamrun {

/// An executor that runs nothing and counts who was woken.
class WakeCounter final : public Executor {
 public:
  RunnableId add(int, Runnable&) override { return {}; }
  void remove(RunnableId) override {}
  void wake(RunnableId id) override {
    ++wakes;
    last = id;
  }
  int wakes = 0;
  RunnableId last;
};

/// A target that can be woken and counts it.
struct CountedTarget {
  explicit CountedTarget(int slot = 0) {
    target.executor = &executor;
    target.set({.worker = 1, .slot = slot, .generation = 7});
  }
  int wakes() const { return executor.wakes; }
  WakeCounter executor;
  WakeTarget target;
};

}  // namespace streamrun
