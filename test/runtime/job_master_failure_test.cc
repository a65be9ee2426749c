#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// A job that throws when `when` says so, and how many checkpoints were complete by then.
struct FailingRun {
  explicit FailingRun(JobWorld& world) {
    world.new_listener().when_completed = [this](const CheckpointSummary&) { ++completed; };
  }
  std::atomic<int> completed{0};
  std::atomic<int> thrown{0};
};

TEST_CASE("job master: a function that throws once costs a restart and no record (S2, E2, E4)",
          "[runtime]") {
  const int parallelism = GENERATE(1, 3);
  const bool at_end = GENERATE(false, true);
  JobWorld world;
  FailingRun failing(world);
  const CountingJob job{.records_per_second = 100000,
                        .parallelism = parallelism,
                        .emits_at_end = at_end,
                        .watch = [&](std::uint64_t number) {
                          // On a slow machine the input may end before three checkpoints.
                          const bool is_time = failing.completed >= 3 || number == 19999;
                          if (is_time && failing.thrown.fetch_add(1) == 0) {
                            throw std::runtime_error("once");
                          }
                        }};
  const JobResult& result = world.run(world.spec_of(job));
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  REQUIRE(world.listener->restarts().size() == 1);
  CHECK(world.listener->restarts()[0].code == ErrorCode::job_failed);
  CHECK(world.listener->restarts()[0].message == "a function threw: once");
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE("job master: a failure before the first checkpoint starts from the beginning",
          "[runtime]") {
  JobWorld world;
  std::atomic<int> thrown{0};
  const CountingJob job{.watch = [&](std::uint64_t number) {
    if (number == 5000 && thrown.fetch_add(1) == 0) throw std::runtime_error("once");
  }};
  const JobResult& result = world.run(world.spec_of(job, 1h));
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE("job master: a function that always throws fails the job when the strategy says so",
          "[runtime]") {
  JobWorld world;
  const CountingJob job{.watch = [](std::uint64_t number) {
    if (number == 10000) throw std::runtime_error("always");
  }};
  const JobResult& result = world.run(world.spec_of(job, 1h));
  CHECK(result.status == JobStatus::failed);
  CHECK(result.restarts == 3);
  REQUIRE(result.error);
  CHECK(result.error->message == "a function threw: always");
  CHECK(result.error->why == "Recovery is suppressed by fixed-delay with 3 attempts");
  CHECK(world.outside.records().empty());
}

TEST_CASE("job master: a failed job leaves its newest checkpoint, from which a later run goes on",
          "[runtime]") {
  JobWorld world;
  FailingRun failing(world);
  CountingJob job{.records_per_second = 10000, .watch = [&](std::uint64_t) {
                    if (failing.completed >= 3 && failing.thrown++ == 0)
                      throw std::runtime_error("once");
                  }};
  JobSpec spec = world.spec_of(job);
  spec.restart = {};
  const JobResult result = world.run(spec);
  REQUIRE(result.status == JobStatus::failed);
  REQUIRE_FALSE(result.resume_path.empty());
  world.new_listener();
  job.watch = {};
  CHECK(world.run(world.resumed(job, result.resume_path, spec)).status == JobStatus::finished);
  CHECK((world.outside.records() == job.expected()));
}

// ---- a disk that fails

/// Each step of `what` on a path with `part` in it fails `times` times, once a checkpoint is
/// complete.
void fail_steps(JobWorld& world, const std::string& what, const std::string& part, int times,
                ErrorCode code) {
  auto left = std::make_shared<std::atomic<int>>(0);
  world.new_listener().when_completed = [left, times](const CheckpointSummary& summary) {
    if (summary.id == 2) *left = times;
  };
  world.files().before_step(
      [&files = world.files(), left, what, part, code](const sim::StorageStep& step) {
        if (step.what != what || step.path.find(part) == std::string::npos) return;
        if (left->load() > 0 && left->fetch_sub(1) > 0) {
          files.fail_call(step.number, {.code = code, .message = "the disk failed"});
        }
      });
}

TEST_CASE(
    "job master: a disk that fails declines the checkpoint, and the job goes on within its "
    "tolerance (D5, L3)",
    "[runtime]") {
  const auto [what, part, code] = GENERATE(table<std::string, std::string, ErrorCode>({
      {"create_directory", "/chk-", ErrorCode::store_full},
      {"create", "/chk-", ErrorCode::store_full},
      {"append", "/chk-", ErrorCode::store_io},
      {"sync", "/chk-", ErrorCode::store_fsync},
      {"rename", "/chk-", ErrorCode::store_io},
  }));
  INFO(what << " fails");
  JobWorld world;
  fail_steps(world, what, part, 1, code);
  const CountingJob job{.records_per_second = 40000};
  JobSpec spec = world.spec_of(job);
  spec.checkpoints.tolerable_failures = 10;
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 0);
  REQUIRE(world.listener->failed().size() == 1);
  CHECK(world.listener->failed()[0].code == code);
  CHECK((world.outside.records() == job.expected()));
  CHECK(world.checkpoints_of(spec.id).empty());
}

TEST_CASE(
    "job master: beyond its tolerance a failed checkpoint restarts the job, and output stays exact",
    "[runtime]") {
  JobWorld world;
  fail_steps(world, "append", "/chk-", 1, ErrorCode::store_full);
  const CountingJob job{.records_per_second = 40000};
  const JobResult& result = world.run(world.spec_of(job));
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE("job master: a final checkpoint that fails is taken again", "[runtime]") {
  JobWorld world;
  std::atomic<int> left{1};
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.what == "create" && step.path.find("/chk-") != std::string::npos && left-- > 0) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_io, .message = "the disk failed"});
    }
  });
  const CountingJob job{.count = 1000};
  JobSpec spec = world.spec_of(job, 1h);
  spec.checkpoints.tolerable_failures = 1;
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(world.listener->failed().size() == 1);
  CHECK((world.outside.records() == job.expected()));
}

}  // namespace
}  // namespace streamrun
