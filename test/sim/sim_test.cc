#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/checkpoint_index.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/fiber.h"
#include "sim/sim_file_system.h"
#include "sim/simulation.h"

namespace streamrun::sim {
namespace {

constexpr std::uint64_t kFails = std::numeric_limits<std::uint64_t>::max();

/// A store whose n-th reads fail, as the tape says.
struct UnreliableStore {
  explicit UnreliableStore(MemoryFileSystem& store, std::vector<std::uint64_t> numbers = {})
      : tape(std::move(numbers)),
        oracle(store),
        files(store, oracle, faults, tape, trace, Mutant::none) {
    faults.read_error_one_in = 2;
    faults.pause = [] {};
  }
  std::size_t reads() const { return tape.drawn().size(); }

  Tape tape;
  Trace trace;
  StorageFaults faults;
  StoreOracle oracle;
  SimFileSystem files;
};

std::vector<std::uint64_t> failing_at(std::size_t first, std::size_t second) {
  std::vector<std::uint64_t> numbers(std::max(first, second) + 1, 0);
  numbers[first] = kFails;
  numbers[second] = kFails;
  return numbers;
}

Result<NewestComplete> newest_in(SimFileSystem& files) {
  return newest_complete(files, {kCheckpointRoot}, "job", false);
}

std::unique_ptr<CheckpointDirectory> folder_of_run(MemoryFileSystem& store, std::uint8_t number) {
  const JobId id({number});
  return value_or_throw(CheckpointDirectory::open(
      store, kCheckpointRoot,
      {.job = {.job_id = id, .family_id = JobId({1}), .job_name = "job", .started_unix_ms = number},
       .attempt = std::string(32, 'a'),
       .lock_note = "test"}));
}

void complete(CheckpointDirectory& directory, std::uint8_t run, CheckpointId id) {
  CheckpointMetadata metadata;
  metadata.id = id;
  metadata.attempt = std::string(32, 'b');
  metadata.job_id = JobId({run});
  metadata.family_id = JobId({1});
  metadata.job_name = "job";
  metadata.registered_name = "job";
  metadata.parallelism = 1;
  metadata.triggered_unix_ms = run;
  metadata.completed_unix_ms = run + 1;
  metadata.plan = "{}";
  REQUIRE(value_or_throw(directory.begin(id)));
  REQUIRE(directory.publish(metadata));
}

}  // namespace

TEST_CASE("newest checkpoint: a finished job is never taken for a new one because of a failed read",
          "[sim]") {
  MemoryFileSystem store;
  REQUIRE(folder_of_run(store, 1)->mark_finished({.job_id = JobId({1}), .job_name = "job"}));
  UnreliableStore undisturbed(store);
  REQUIRE(newest_in(undisturbed.files)->finished);
  REQUIRE(undisturbed.reads() > 3);
  for (std::size_t failing = 0; failing < undisturbed.reads(); ++failing) {
    UnreliableStore unreliable(store, failing_at(failing, failing));
    const Result<NewestComplete> newest = newest_in(unreliable.files);
    INFO("read " << failing);
    CHECK((!newest || newest->finished));
  }
}

TEST_CASE("newest checkpoint: failed reads never bring back an older one", "[sim]") {
  MemoryFileSystem store;
  complete(*folder_of_run(store, 1), 1, 4);
  complete(*folder_of_run(store, 2), 2, 5);
  UnreliableStore undisturbed(store);
  REQUIRE(newest_in(undisturbed.files)->entry->id == 5);
  const std::size_t reads = undisturbed.reads();
  for (std::size_t first = 0; first < reads; ++first) {
    for (std::size_t second = first; second < reads; ++second) {
      UnreliableStore unreliable(store, failing_at(first, second));
      const Result<NewestComplete> newest = newest_in(unreliable.files);
      INFO("reads " << first << " and " << second);
      CHECK((!newest || (newest->entry && newest->entry->id == 5)));
    }
  }
}

TEST_CASE("simulation: a recorded tape replays its history", "[sim]") {
  Tape tape(std::uint64_t{7});
  const Outcome first = simulate(tape, Mutant::none);
  Tape recorded(tape.drawn());
  const Outcome second = simulate(recorded, Mutant::none);
  CHECK(first.statistics.steps > 100);
  CHECK_FALSE(first.violation);
  CHECK(first.trace_hash == second.trace_hash);
  Tape other(std::uint64_t{8});
  CHECK(simulate(other, Mutant::none).trace_hash != first.trace_hash);
}

TEST_CASE("simulation: an empty tape is a history too", "[sim]") {
  Tape tape(std::vector<std::uint64_t>{});
  const Outcome outcome = simulate(tape, Mutant::none);
  CHECK_FALSE(outcome.violation);
}

TEST_CASE("fiber: a call that pauses goes on where it was left", "[sim]") {
  std::vector<int> order;
  Fiber fiber([&order] {
    for (int i = 0; i < 3; ++i) {
      order.push_back(i);
      Fiber::pause();
    }
  });
  int resumed = 0;
  while (!fiber.resume()) {
    order.push_back(10);
    ++resumed;
  }
  REQUIRE((resumed == 0 || resumed == 3));  // under a sanitizer it runs as a whole
  CHECK(order ==
        (resumed == 0 ? std::vector<int>{0, 1, 2} : std::vector<int>{0, 10, 1, 10, 2, 10}));
}

}  // namespace streamrun::sim
