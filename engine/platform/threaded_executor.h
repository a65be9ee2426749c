#pragma once

#include <streamrun/platform/executor.h>

#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Worker threads that run cooperative tasks in turn and park when all are idle. A wake-up sets a
/// bit in the worker's ready set, so that idle tasks cost nothing. Worker threads start with the
/// first `add` to them.
class ThreadedExecutor final : public Executor {
 public:
  explicit ThreadedExecutor(int workers);
  /// Stops and joins the threads; runnables that have not finished are dropped.
  ~ThreadedExecutor() override;
  ThreadedExecutor(const ThreadedExecutor&) = delete;
  ThreadedExecutor& operator=(const ThreadedExecutor&) = delete;

  RunnableId add(int worker, Runnable& runnable) override;
  void remove(RunnableId id) override;
  void wake(RunnableId id) override;

 private:
  class Worker;
  std::vector<std::unique_ptr<Worker>> workers_;
};

/// A pool of at most `threads` threads for blocking calls, started as they are needed.
class ThreadPool final : public IoExecutor {
 public:
  explicit ThreadPool(int threads);
  /// Runs what was submitted, then joins.
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void submit(UniqueFunction<void()> job) override;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace streamrun
