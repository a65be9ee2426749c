#pragma once

#include <streamrun/base/unique_function.h>
#include <streamrun/platform/clock.h>

#include <cstdint>
#include <optional>

namespace streamrun {

/// What one turn of a `Runnable` came to.
enum class Progress {
  progress,  ///< it did something and may have more to do: run it again soon
  idle,      ///< nothing to do until someone wakes it or its deadline passes
  finished,  ///< it will never have anything to do again: it is dropped
};

/// A cooperative task: `run` does a bounded amount of work and returns. It never blocks.
class Runnable {
 public:
  virtual ~Runnable() = default;
  virtual Progress run() = 0;
  /// When it wants to run again although nobody wakes it. Asked after each `run` that returned
  /// idle, by the same thread.
  virtual std::optional<Instant> next_deadline() const { return std::nullopt; }
};

/// Names a runnable within its executor; cheap to copy, may outlive the runnable.
struct RunnableId {
  int worker = -1;
  int slot = -1;
  std::uint32_t generation = 0;  ///< tells the runnable from a later one in the same slot
};

/// Who runs the runnables: worker threads in production, a seeded loop in the simulation, a host
/// elsewhere. A runnable stays on the worker that it was added to, so one thread owns it at any
/// time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Starts to run `runnable` on worker `worker` (taken modulo the number of workers). It must stay
  /// alive until its `run` has returned finished, or `remove` has returned. Thread-safe.
  virtual RunnableId add(int worker, Runnable& runnable) = 0;
  /// After it returns the runnable is not running and never will be again. Not from inside a `run`
  /// on the same worker, other than of the runnable itself. Does nothing for one that has finished.
  virtual void remove(RunnableId id) = 0;
  /// Makes it run (again), also if it is running now: what the caller wrote before is seen by that
  /// run. Cheap when it is ready already. For one that has finished it does nothing, or wakes the
  /// next one in the slot. Thread-safe.
  virtual void wake(RunnableId id) = 0;
};

/// Where blocking calls go (files, HTTP, fsync): they come back as mail to whoever asked.
class IoExecutor {
 public:
  virtual ~IoExecutor() = default;
  /// Runs `job` once on some I/O thread; jobs of one caller may overtake each other. Thread-safe.
  virtual void submit(UniqueFunction<void()> job) = 0;
};

}  // namespace streamrun
