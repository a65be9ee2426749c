#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

TEST_CASE("job master: a bounded job finishes with exact output at any parallelism", "[runtime]") {
  const int parallelism = GENERATE(1, 2, 3, 4);
  const bool at_end = GENERATE(false, true);
  INFO("parallelism " << parallelism);
  JobWorld world;
  const CountingJob job{.parallelism = parallelism, .emits_at_end = at_end};
  const JobResult& result = world.run(world.spec_of(job));
  CHECK(result.status == JobStatus::finished);
  CHECK_FALSE(result.error);
  CHECK(result.restarts == 0);
  CHECK(result.records_in == job.count);
  CHECK(result.records_out == job.expected().size());
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE(
    "job master: a finished job leaves no checkpoint to resume from, and says that it finished",
    "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 5000, .records_per_second = 50000};
  const JobSpec spec = world.spec_of(job);
  const JobResult& result = world.run(spec);
  REQUIRE(result.status == JobStatus::finished);
  CHECK(result.resume_path.empty());
  CHECK(world.listener->completed().size() > 2);
  CHECK(world.checkpoints_of(spec.id).empty());
  const std::string folder = "/checkpoints/" + to_string(spec.id);
  std::set<std::string> left;
  for (const auto& [path, bytes] : world.files().files()) left.insert(path);
  CHECK(left == std::set<std::string>{folder + "/.job", folder + "/.lock", folder + "/finished"});
  CHECK(world.listener->completed().front().path == folder + "/chk-1");
}

TEST_CASE("job master: nothing is visible before a checkpoint is complete (E1)", "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 3000, .records_per_second = 30000};
  std::atomic<std::size_t> visible_before{0};
  TestListener& listener = world.new_listener();
  listener.when_completed = [&](const CheckpointSummary& summary) {
    if (summary.id == 1) visible_before = world.outside.records().size();
  };
  world.run(world.spec_of(job));
  CHECK(visible_before == 0);
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE(
    "job master: without an interval output is committed at the end, and no checkpoint is written",
    "[runtime]") {
  JobWorld world;
  const CountingJob job{.parallelism = 3};
  const JobSpec spec = world.spec_of(job, std::nullopt);
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK((world.outside.records() == job.expected()));
  CHECK(world.listener->completed().empty());
  CHECK(world.checkpoints_of(spec.id).empty());
}

TEST_CASE(
    "job master: without a store checkpoints live in memory, and a failed task recovers from them",
    "[runtime]") {
  JobWorld world;
  std::atomic<bool> thrown{false};
  TestListener& listener = world.new_listener();
  std::atomic<int> completed{0};
  listener.when_completed = [&](const CheckpointSummary&) { ++completed; };
  const CountingJob job{.count = 20000, .records_per_second = 100000, .watch = [&](std::uint64_t) {
                          if (completed >= 2 && !thrown.exchange(true))
                            throw std::runtime_error("once");
                        }};
  JobSpec spec = world.spec_of(job);
  spec.checkpoint_store = nullptr;
  const JobResult& result = world.run(std::move(spec));
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  CHECK((world.outside.records() == job.expected()));
  CHECK(world.files().files().empty());
}

TEST_CASE("job master: keeps as many checkpoints as it is told to", "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 0, .records_per_second = 20000};
  JobSpec spec = world.spec_of(job);
  spec.retained = 2;
  world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(8));
    master.request_stop();
  });
  CHECK(world.listener->result().status == JobStatus::suspended);
  CHECK(world.checkpoints_of(spec.id).size() == 2);
}

TEST_CASE("job master: takes a checkpoint when it is asked for one, and answers for its tasks",
          "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 0, .records_per_second = 20000};
  JobSpec spec = world.spec_of(job, std::nullopt);
  TestListener& listener = world.new_listener();
  world.run(spec, [&](JobMaster& master) {
    CHECK(listener.wait_for_running());
    master.request_checkpoint();
    master.request_dump();
    CHECK(listener.wait_for_checkpoints(1));
    CHECK(listener.wait_for_dumps(4));
    master.request_stop();
  });
  CHECK(listener.completed().front().path == "/checkpoints/" + to_string(spec.id) + "/chk-1");
  CHECK(listener.dumps().size() == 4);
}

TEST_CASE("job master: a second runner of the same job id is refused (L5)", "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 0, .records_per_second = 1000};
  const JobSpec spec = world.spec_of(job);
  const auto lock = world.files().create_directory("/checkpoints/" + to_string(spec.id));
  REQUIRE(lock);
  const auto held =
      world.files().lock("/checkpoints/" + to_string(spec.id) + "/.lock", "someone else");
  REQUIRE(held);
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::failed);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::lock);
}

}  // namespace
}  // namespace streamrun
