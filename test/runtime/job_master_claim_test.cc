// Who owns the snapshot that a run starts from.
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/runtime/job_master.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

/// A run that was stopped with some checkpoints left.
struct FirstRun {
  explicit FirstRun(JobWorld& world, bool incremental = false) {
    CountingJob slow = job;
    slow.records_per_second = 500;
    spec = world.spec_of(slow);
    spec.inline_threshold = 0;
    spec.incremental = incremental;
    result = world.run(spec, [&](JobMaster& master) {
      CHECK(world.listener->wait_for_checkpoints(4));
      master.request_stop();
    });
    REQUIRE(result.status == JobStatus::suspended);
    world.new_listener();
  }
  JobSpec resumed(JobWorld& world, double rate = 0) const {
    CountingJob next = job;
    next.records_per_second = rate;
    JobSpec next_spec = world.resumed(next, result.resume_path, spec);
    next_spec.inline_threshold = 0;
    next_spec.claims_restored = true;
    return next_spec;
  }

  CountingJob job;
  JobSpec spec;
  JobResult result;
};

bool is_there(JobWorld& world, const std::string& folder) {
  return world.files().status(folder).has_value();
}

TEST_CASE("claim: a snapshot goes when the run has enough of its own, and its siblings stay",
          "[runtime]") {
  const bool incremental = GENERATE(false, true);
  INFO("incremental: " << incremental);
  JobWorld world;
  const FirstRun first(world, incremental);
  const std::size_t before = world.checkpoints_of(first.spec.id).size();
  REQUIRE(before > 1);
  JobSpec spec = first.resumed(world, 1000);
  spec.retained = 3;
  std::size_t completed = 0;
  bool went_too_early = false;
  world.listener->when_completed = [&](const CheckpointSummary&) {
    if (++completed < 3) went_too_early |= !is_there(world, first.result.resume_path);
  };
  const JobResult result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(5));
    master.request_stop();
  });
  CHECK(result.status == JobStatus::suspended);
  CHECK_FALSE(went_too_early);
  CHECK_FALSE(is_there(world, first.result.resume_path));
  CHECK(world.checkpoints_of(first.spec.id).size() == before - 1);
  CHECK(world.checkpoints_of(spec.id).size() == 3);
  CHECK(world.log.count("could not remove") == 0);

  // What its siblings need is there.
  world.new_listener();
  const std::string sibling =
      join_path(parent_path(first.result.resume_path), world.checkpoints_of(first.spec.id).back());
  CHECK(world.run(world.resumed(first.job, sibling, first.spec)).status == JobStatus::finished);
}

TEST_CASE("claim: of a run whose last snapshot is claimed no file is left", "[runtime]") {
  const bool incremental = GENERATE(false, true);
  JobWorld world;
  CountingJob job;
  job.records_per_second = 1000;
  JobSpec before = world.spec_of(job);
  before.inline_threshold = 0;
  before.incremental = incremental;
  before.retained = 1;
  const JobResult stopped = world.run(before, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(2));
    master.request_stop();
  });
  world.new_listener();
  job.records_per_second = 0;
  JobSpec spec = world.resumed(job, stopped.resume_path, before);
  spec.claims_restored = true;
  CHECK(world.run(spec).status == JobStatus::finished);
  CHECK((world.outside.records() == job.expected()));
  CHECK(world.checkpoints_of(before.id).empty());
  for (const auto& [path, bytes] : world.files().files()) {
    INFO(path);
    CHECK((base_name(path) == kJobFileName || base_name(path) == kLockName ||
           base_name(path) == kFinishedName));
  }
}

TEST_CASE("claim: a failure before the first own checkpoint goes back to it", "[runtime]") {
  JobWorld world;
  const FirstRun first(world);
  CountingJob job = first.job;
  std::atomic<bool> thrown{false};
  job.watch = [&](std::uint64_t) {
    if (!thrown.exchange(true)) throw std::runtime_error("once");
  };
  JobSpec spec = world.resumed(job, first.result.resume_path, first.spec);
  spec.claims_restored = true;
  spec.retained = 1;
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  CHECK(world.listener->restart_points().front() == first.result.resume_path);
  CHECK((world.outside.records() == job.expected()));
  CHECK_FALSE(is_there(world, first.result.resume_path));
}

TEST_CASE("claim: it stays if the run ends before it has a checkpoint of its own", "[runtime]") {
  JobWorld world;
  const FirstRun first(world);
  CountingJob job = first.job;
  job.watch = [](std::uint64_t) { throw std::runtime_error("always"); };
  JobSpec spec = world.resumed(job, first.result.resume_path, first.spec);
  spec.claims_restored = true;
  spec.restart = {};
  spec.retention = CheckpointRetention::no_externalized_checkpoints;
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::failed);
  CHECK(result.resume_path == first.result.resume_path);
  CHECK(is_there(world, join_path(first.result.resume_path, kMetadataName)));
}

TEST_CASE("claim: nobody else can claim it while the run lives", "[runtime]") {
  JobWorld world;
  const FirstRun first(world);
  const auto lock = world.files().lock(join_path(parent_path(first.result.resume_path), kLockName),
                                       "another run");
  REQUIRE(lock);
  const JobResult& result = world.run(first.resumed(world));
  CHECK(result.status == JobStatus::failed);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::lock);
  CHECK(is_there(world, join_path(first.result.resume_path, kMetadataName)));
}

TEST_CASE("claim: an older checkpoint of the run's own folder joins its others", "[runtime]") {
  JobWorld world;
  const FirstRun first(world);
  const std::vector<std::string> names = world.checkpoints_of(first.spec.id);
  REQUIRE(names.size() > 1);
  const bool claims = GENERATE(true, false);
  INFO("claims: " << claims);
  const std::string folder = parent_path(first.result.resume_path);
  std::string older;
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    if (path != first.result.resume_path) older = path;
  }
  CountingJob job = first.job;
  job.records_per_second = 1000;
  JobSpec spec = world.resumed(job, older, first.spec);
  spec.id = first.spec.id;
  spec.claims_restored = claims;
  spec.retained = 1;
  const JobResult result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(2));
    master.request_stop();
  });
  CHECK(result.status == JobStatus::suspended);
  CHECK(is_there(world, older) != claims);
  CHECK(is_there(world, first.result.resume_path));
}

}  // namespace
}  // namespace streamrun
