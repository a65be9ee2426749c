#include "sink_world.h"

namespace streamrun::test {
namespace {

struct Crash {};

/// A job of two checkpoints, and what it would know after a crash: the committables of the last
/// snapshot that was complete, and the lines before it.
struct Job {
  explicit Job(sim::MemoryFileSystem& its_store) : store(its_store) {}

  /// One life from the last complete checkpoint to the end of the input.
  void live(const std::string& attempt) {
    SinkWorld world(store);
    SinkRun sink(world, attempt, last_complete);
    value_or_throw(sink.writer().commit(last_complete));
    value_or_throw(sink.writer().remove_leftovers());
    while (next_line < kLines) {
      const int first = next_line;
      sink.write({std::to_string(first)});
      sink.write({std::to_string(first + 1)});
      // Only now, with everything acknowledged, is the checkpoint complete.
      last_complete = value_or_throw(sink.prepare());
      next_line = first + 2;
      value_or_throw(sink.writer().commit(last_complete));
    }
  }

  static constexpr int kLines = 4;
  sim::MemoryFileSystem& store;
  SinkRun::Committables last_complete;
  int next_line = 0;
};

std::uint64_t steps_of_an_undisturbed_life() {
  sim::MemoryFileSystem store;
  Job job(store);
  job.live("attempt-0");
  return store.steps();
}

void check_result(const sim::MemoryFileSystem& store) {
  const std::string text = visible_text(store);
  CHECK(text.size() == 8);
  for (const char* const line : {"0\n", "1\n", "2\n", "3\n"})
    CHECK(text.find(line) != std::string::npos);
  for (const std::string& name : names_in(store)) CHECK(name[0] != '.');  // E4, R4: no leftovers
}

/// Lives until the `crashes` are used up: each ends a life before the step of this number (counted
/// in that life).
void live_with_crashes(const std::vector<std::uint64_t>& crashes, bool power_cut,
                       std::uint64_t seed) {
  sim::MemoryFileSystem store;
  Job job(store);
  SeededRandom random(seed);
  int attempt = 0;
  for (const std::uint64_t crash : crashes) {
    const std::uint64_t at = store.steps() + crash;
    store.before_step([at](const sim::StorageStep& step) {
      if (step.number == at) throw Crash();
    });
    try {
      job.live("attempt-" + std::to_string(attempt++));
    } catch (const Crash&) {
    }
    store.before_step({});
    if (power_cut) {
      store.power_cut(random);
    } else {
      store.kill();
    }
  }
  job.live("attempt-" + std::to_string(attempt));
  check_result(store);
}

TEST_CASE("file sink: a kill before any step of a job leaves each line once and nothing behind",
          "[connectors]") {
  const std::uint64_t steps = steps_of_an_undisturbed_life();
  REQUIRE(steps > 15);
  for (std::uint64_t step = 1; step <= steps + 1; ++step) {
    for (std::uint64_t second = 1; second <= steps + 1; ++second) {
      INFO("before step " << step << ", then before step " << second);
      live_with_crashes({step, second}, false, 0);
    }
  }
}

TEST_CASE("file sink: a power cut before any step of a job leaves each line once", "[connectors]") {
  const std::uint64_t steps = steps_of_an_undisturbed_life();
  for (std::uint64_t step = 1; step <= steps + 1; ++step) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      INFO("before step " << step << ", seed " << seed);
      live_with_crashes({step, 1 + seed % steps}, true, seed);
    }
  }
}

TEST_CASE("file sink: any one step that fails ends in an error or each line once", "[connectors]") {
  const std::uint64_t steps = steps_of_an_undisturbed_life();
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("step " << step);
    sim::MemoryFileSystem store;
    Job job(store);
    store.fail_call(step, {.code = ErrorCode::store_io, .message = "broken"});
    try {
      job.live("attempt-0");
    } catch (const ErrorException& thrown) {
      CHECK(thrown.error().code == ErrorCode::store_io);
    }
    job.live("attempt-1");
    check_result(store);
  }
}

}  // namespace
}  // namespace streamrun::test
