#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/runtime/job_master.h>

#include <string>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

TEST_CASE(
    "job master: a stopped job is suspended, and another run goes on to exact output (S2, E2)",
    "[runtime]") {
  const auto [before, after] = GENERATE(table<int, int>({{1, 1}, {2, 2}, {2, 3}, {4, 1}}));
  const bool at_end = GENERATE(false, true);
  INFO("parallelism " << before << ", then " << after);
  JobWorld world;
  CountingJob job{.records_per_second = 10000, .parallelism = before, .emits_at_end = at_end};
  const JobSpec first = world.spec_of(job);
  const JobResult stopped = world.run(first, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(3));
    master.request_stop();
  });
  REQUIRE(stopped.status == JobStatus::suspended);
  CHECK(stopped.stopped_cleanly);
  CHECK_FALSE(stopped.error);
  REQUIRE(stopped.resume_path == world.listener->completed().back().path);
  const std::size_t visible = world.outside.records().size();
  CHECK(visible < job.expected().size());
  if (!at_end) CHECK(visible == stopped.records_out);

  world.new_listener();
  job.parallelism = after;
  job.records_per_second = 0;
  const JobResult& finished = world.run(world.resumed(job, stopped.resume_path, first));
  CHECK(finished.status == JobStatus::finished);
  CHECK(finished.records_in + stopped.records_in == job.count);
  CHECK((world.outside.records() == job.expected()));
  CHECK(read_snapshot(world.files(), stopped.resume_path));  // it was not claimed, so it stays
}

TEST_CASE("job master: stopping without an interval leaves a snapshot to go on from", "[runtime]") {
  JobWorld world;
  CountingJob job{.records_per_second = 10000};
  const JobSpec first = world.spec_of(job, std::nullopt);
  TestListener& listener = *world.listener;
  const JobResult stopped = world.run(first, [&](JobMaster& master) {
    CHECK(listener.wait_for_running());
    master.request_stop();
  });
  REQUIRE(stopped.status == JobStatus::suspended);
  REQUIRE_FALSE(stopped.resume_path.empty());
  world.new_listener();
  CHECK(world.run(world.resumed(job, stopped.resume_path, first)).status == JobStatus::finished);
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE("job master: a job may be stopped, resumed and stopped again and again", "[runtime]") {
  JobWorld world;
  // So slow that none of the runs that are stopped comes to the end, on whatever machine.
  const CountingJob slow{.records_per_second = 500};
  const CountingJob job;
  JobSpec spec = world.spec_of(slow);
  std::uint64_t in = 0;
  for (int runs = 1; runs <= 5; ++runs) {
    TestListener& listener = world.new_listener();
    const JobResult result = world.run(spec, [&](JobMaster& master) {
      CHECK(listener.wait_for_checkpoints(2));
      master.request_stop();
    });
    in += result.records_in;
    REQUIRE(result.status == JobStatus::suspended);
    spec = world.resumed(runs < 5 ? slow : job, result.resume_path, spec);
  }
  world.new_listener();
  const JobResult& last = world.run(spec);
  CHECK(last.status == JobStatus::finished);
  CHECK(in + last.records_in == job.count);
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE("job master: one that is stopped before it runs ends at once", "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 0, .records_per_second = 1000};
  const JobResult& result =
      world.run(world.spec_of(job), [](JobMaster& master) { master.request_stop(); });
  CHECK(result.status == JobStatus::suspended);
}

TEST_CASE(
    "job master: a stop whose checkpoint can't complete in time is not clean, and nothing is lost",
    "[runtime]") {
  JobWorld world;
  CountingJob job{.count = 20000, .records_per_second = 50000};
  JobSpec spec = world.spec_of(job);
  spec.checkpoints.tolerable_failures = 1000000;
  spec.shutdown_timeout = 100ms;
  std::atomic<bool> broken{false};
  world.files().before_step([&](const sim::StorageStep& step) {
    if (broken && step.what == "rename") {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_io, .message = "the disk failed"});
    }
  });
  const JobResult stopped = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(2));
    broken = true;
    master.request_stop();
  });
  world.files().before_step({});
  CHECK(stopped.status == JobStatus::suspended);
  CHECK_FALSE(stopped.stopped_cleanly);
  REQUIRE(stopped.error);
  CHECK(stopped.error->code == ErrorCode::stop_unclean);
  REQUIRE_FALSE(stopped.resume_path.empty());
  world.new_listener();
  CHECK(world.run(world.resumed(job, stopped.resume_path, spec)).status == JobStatus::finished);
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE("job master: a snapshot of another job is refused before anything runs (L2)",
          "[runtime]") {
  JobWorld world;
  CountingJob job{.count = 0, .records_per_second = 20000};
  const JobSpec first = world.spec_of(job);
  const JobResult stopped = world.run(first, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(1));
    master.request_stop();
  });
  world.new_listener();
  JobSpec other = world.resumed(job, stopped.resume_path, first);
  other.restore->metadata.operators[1].uid = "something else";
  for (OperatorSnapshot& op : other.restore->metadata.operators) {
    if (op.uid == "counts") op.id = operator_id_of("gone");
  }
  const JobResult& refused = world.run(other);
  CHECK(refused.status == JobStatus::failed);
  REQUIRE(refused.error);
  CHECK(refused.error->code == ErrorCode::job_mismatch);
  CHECK(refused.restarts == 0);
}

}  // namespace
}  // namespace streamrun
