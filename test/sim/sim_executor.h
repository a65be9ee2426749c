#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/executor.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "sim/fiber.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// Time that moves only when the simulation says so. It goes on over the lives of simulated
/// processes.
class SimClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  std::int64_t unix_milliseconds() const override {
    return kStartUnixMilliseconds + now_.time_since_epoch() / std::chrono::milliseconds(1);
  }
  void advance(Duration by) { now_ += by; }
  void advance_to(Instant moment) {
    if (moment > now_) now_ = moment;
  }

 private:
  static constexpr std::int64_t kStartUnixMilliseconds = 1'700'000'000'000;
  Instant now_{};
};

/// How long things take in the simulated world; may change while it runs.
struct Pace {
  Duration most_io_delay = std::chrono::milliseconds(1);  ///< of an I/O job, before it runs
  std::uint64_t slow_one_in = 0;  ///< I/O jobs that take `slow_delay` at most; 0: none
  Duration slow_delay = std::chrono::milliseconds(200);
  Duration most_step_cost = std::chrono::microseconds(5);
  std::uint64_t pause_one_in =
      0;  ///< calls of an I/O job to the store, between which others run; 0: none
  std::uint64_t starving_steps = 0;  ///< some of what is ready is left waiting for so long; 0: none
};

/// All workers and I/O threads of one simulated process, on the calling thread: each step picks one
/// runnable or I/O job that is ready, as the tape says; when nothing is ready time goes on to the
/// next deadline. An I/O job may pause before any of its calls to the store.
class SimExecutor final : public Executor, public IoExecutor {
 public:
  SimExecutor(Tape& tape, SimClock& clock, Trace& trace, const Pace& pace)
      : tape_(tape), clock_(clock), trace_(trace), pace_(pace) {}

  RunnableId add(int worker, Runnable& runnable) override;
  void remove(RunnableId id) override;
  void wake(RunnableId id) override;
  void submit(UniqueFunction<void()> job) override;

  /// False if nothing is ready and nothing ever will be by itself.
  bool step();
  /// For the store, before each call: others may run first, if an I/O job is running.
  void maybe_pause_io();
  /// Time goes on by so much for who calls; others run meanwhile, if an I/O job is what calls.
  void sleep(Duration duration);
  /// Runs I/O jobs and nothing else until none is left: what a process that ends had under way.
  void run_out_io();
  std::uint64_t steps() const { return steps_; }

 private:
  struct Slot {
    Runnable* runnable = nullptr;
    std::uint32_t generation = 0;
    bool ready = false;
    std::optional<Instant> deadline;
  };
  struct IoJob {
    std::uint64_t number = 0;
    Instant ready_at;
    Fiber call;
  };
  /// Runnables first, then I/O jobs.
  struct Candidate {
    bool is_io = false;
    std::size_t index = 0;
    std::uint64_t identity = 0;
  };

  Slot* slot_of(RunnableId id);
  void find_candidates();
  void leave_out_the_starved();
  bool advance_to_next_deadline();
  void run_slot(std::size_t index);
  void run_io(std::size_t index);

  Tape& tape_;
  SimClock& clock_;
  Trace& trace_;
  const Pace& pace_;
  std::deque<Slot> slots_;  // a runnable may add others while it runs
  std::vector<IoJob> io_jobs_;
  std::vector<Candidate> candidates_;
  std::optional<Duration> asleep_;  // for so long, the I/O job that has just paused
  std::uint64_t submitted_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t starving_ = 0;  // which ones, while not 0
};

}  // namespace streamrun::sim
