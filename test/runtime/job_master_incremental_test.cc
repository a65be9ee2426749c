// Checkpoints that write what changed: what lies in `shared` is what complete ones need, whatever
// happens.
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "answer.h"
#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using Names = std::set<std::string>;

/// Few of the keys change from one checkpoint to the next. Without a count it is stopped.
CountingJob job_of_many_keys(std::uint64_t count = 0) {
  return {.count = count, .keys = 4000, .records_per_second = 10000};
}

/// So small that the state of a test is a chain of several files, however much of it changes
/// between two checkpoints on a slow machine.
JobSpec incremental(JobSpec spec) {
  spec.incremental = true;
  spec.chain_limits = {.small_bytes = 1,
                       .full_pieces = 4,
                       .least_piece_bytes = 1000,
                       .most_pieces = 12,
                       .inline_bytes = 1000,
                       .most_written = 1};
  spec.retained = 2;
  return spec;
}

std::string folder_of(const JobSpec& spec) {
  return "/checkpoints/" + to_string(spec.id) + "/";
}

Names present(JobWorld& world, const JobSpec& spec) {
  Names names;
  const std::string shared = folder_of(spec) + "shared/";
  for (const auto& [path, bytes] : world.files().files()) {
    if (path.starts_with(shared)) names.insert(base_name(path));
  }
  return names;
}

/// Every complete checkpoint is whole, and these are the names that they need.
Names needed(JobWorld& world, const JobSpec& spec) {
  Names names;
  for (const std::string& name : world.checkpoints_of(spec.id)) {
    const std::string folder = folder_of(spec) + name;
    const auto snapshot = read_snapshot(world.files(), folder);
    INFO(folder);
    REQUIRE(snapshot);
    CHECK(verify_files(world.files(), folder, snapshot->metadata, true));
    names.merge(shared_names_of(snapshot->metadata));
  }
  return names;
}

bool is_increment(const CheckpointSummary& summary) {
  return summary.new_bytes < summary.full_bytes;
}

std::size_t increments(const std::vector<CheckpointSummary>& completed) {
  return static_cast<std::size_t>(std::count_if(completed.begin(), completed.end(), is_increment));
}

/// Runs until so many checkpoints are complete, then stops.
JobResult run_for(JobWorld& world, const JobSpec& spec, std::size_t checkpoints) {
  return world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(checkpoints));
    master.request_stop();
  });
}

TEST_CASE(
    "incremental: a checkpoint writes what changed, and those that are kept need all there is",
    "[runtime]") {
  JobWorld world;
  const JobSpec spec = incremental(world.spec_of(job_of_many_keys()));
  const JobResult result = run_for(world, spec, 20);
  CHECK(result.status == JobStatus::suspended);
  const std::vector<CheckpointSummary>& completed = world.listener->completed();
  CHECK_FALSE(is_increment(completed.front()));
  CHECK(increments(completed) > 0);
  CHECK(world.checkpoints_of(spec.id).size() == 2);
  CHECK_FALSE(present(world, spec).empty());
  CHECK(present(world, spec) == needed(world, spec));
  const CheckpointMetadata newest =
      read_snapshot(world.files(), result.resume_path).value().metadata;
  CHECK(newest.history.back().new_bytes <= newest.history.back().full_bytes);
  CHECK(completed.back().new_bytes == newest.history.back().new_bytes);
}

TEST_CASE("incremental: at the end of the input nothing is left", "[runtime]") {
  JobWorld world;
  const CountingJob job = job_of_many_keys(8000);
  const JobSpec spec = incremental(world.spec_of(job));
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(increments(world.listener->completed()) > 0);
  CHECK(world.outside.records() == job.expected());
  CHECK(present(world, spec).empty());
  CHECK(world.checkpoints_of(spec.id).empty());
}

TEST_CASE(
    "incremental: a chain is restored at any parallelism, and the first after it is full (R5)",
    "[runtime]") {
  const auto [parallelism, is_same_job] =
      GENERATE(table<int, bool>({{1, false}, {2, true}, {3, true}}));
  INFO("parallelism " << parallelism << ", in the same folder: " << is_same_job);
  JobWorld world;
  CountingJob job = job_of_many_keys(20000);
  CountingJob stopped_job = job;
  stopped_job.records_per_second = 1000;  // it is not at its end before it is stopped
  const JobSpec before = incremental(world.spec_of(stopped_job));
  const JobResult stopped = run_for(world, before, 12);
  REQUIRE(stopped.status == JobStatus::suspended);
  CHECK(increments(world.listener->completed()) > 0);
  const Names kept = present(world, before);
  const CheckpointMetadata restored =
      read_snapshot(world.files(), stopped.resume_path).value().metadata;

  TestListener& listener = world.new_listener();
  job.parallelism = parallelism;
  JobSpec spec = incremental(world.resumed(job, stopped.resume_path, before));
  if (is_same_job) spec.id = before.id;
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(world.outside.records() == job.expected());
  REQUIRE_FALSE(listener.completed().empty());
  CHECK_FALSE(is_increment(listener.completed().front()));
  CHECK(increments(listener.completed()) > 0);
  CHECK(present(world, spec).empty());
  if (is_same_job) return;
  CHECK(present(world, before) == kept);
  CHECK(verify_files(world.files(), stopped.resume_path, restored, true));
}

TEST_CASE("incremental: after a failure the next one is full, and what was under way is gone (R4)",
          "[runtime]") {
  JobWorld world;
  std::atomic<int> completed{0};
  std::atomic<bool> thrown{false};
  CountingJob job = job_of_many_keys();
  job.watch = [&](std::uint64_t) {
    if (completed >= 6 && !thrown.exchange(true)) throw std::runtime_error("once");
  };
  world.listener->when_completed = [&](const CheckpointSummary&) { ++completed; };
  const JobSpec spec = incremental(world.spec_of(job));
  const JobResult result = run_for(world, spec, 16);
  CHECK(result.status == JobStatus::suspended);
  CHECK(result.restarts == 1);
  CHECK(std::count_if(world.listener->completed().begin(), world.listener->completed().end(),
                      [](const CheckpointSummary& each) { return !is_increment(each); }) >= 2);
  CHECK(present(world, spec) == needed(world, spec));
}

TEST_CASE("incremental: a checkpoint that fails leaves what others need, and no more (R1, R4)",
          "[runtime]") {
  const std::string failing = GENERATE(as<std::string>{}, "create", "append", "sync", "rename");
  INFO("fails at " << failing);
  JobWorld world;
  JobSpec spec = incremental(world.spec_of(job_of_many_keys()));
  spec.checkpoints.tolerable_failures = 10;
  std::atomic<bool> fails{false};
  world.listener->when_completed = [&](const CheckpointSummary& summary) {
    if (summary.id % 4 == 0) fails = true;
  };
  world.files().before_step([&](const sim::StorageStep& step) {
    const bool is_one = step.what == failing && step.path.find("/shared/") != std::string::npos;
    if (is_one && fails.exchange(false)) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_full, .message = "the disk is full"});
    }
  });
  const JobResult result = run_for(world, spec, 15);
  world.files().before_step({});
  CHECK(result.status == JobStatus::suspended);
  CHECK(result.restarts == 0);
  CHECK_FALSE(world.listener->failed().empty());
  CHECK(increments(world.listener->completed()) > 0);
  CHECK(present(world, spec) == needed(world, spec));
}

TEST_CASE("incremental: with several at once none loses what it is built upon", "[runtime]") {
  JobWorld world;
  JobSpec spec = incremental(world.spec_of(job_of_many_keys(), 1ms));
  spec.checkpoints.max_concurrent = 3;
  spec.retained = 1;
  const JobResult result = run_for(world, spec, 20);
  CHECK(result.status == JobStatus::suspended);
  for (const Error& error : world.listener->failed()) CHECK(error.code == ErrorCode::cancelled);
  CHECK(increments(world.listener->completed()) > 0);
  CHECK(present(world, spec) == needed(world, spec));
}

TEST_CASE("incremental: a checkpoint in doubt keeps all that it may need (R1)", "[runtime]") {
  JobWorld world;
  JobSpec spec = incremental(world.spec_of(job_of_many_keys()));
  spec.retained = 1;
  std::atomic<bool> appeared{false};
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.path.find("/chk-6") == std::string::npos) return;
    if (step.what == "rename") {
      appeared = true;
      return;
    }
    if (appeared && (step.what == "sync_directory" || step.what == "remove_file")) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_io, .message = "the disk failed"});
    }
  });
  const JobResult& result = world.run(spec);
  world.files().before_step({});
  CHECK(result.status == JobStatus::failed);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::store_fatal);
  const std::string folder = folder_of(spec) + "chk-6";
  const auto snapshot = read_snapshot(world.files(), folder);
  REQUIRE(snapshot);
  CHECK_FALSE(shared_names_of(snapshot->metadata).empty());
  CHECK(verify_files(world.files(), folder, snapshot->metadata, true));
}

TEST_CASE("incremental: a savepoint needs nothing outside of its folder (R5)", "[runtime]") {
  JobWorld world;
  const JobSpec spec = incremental(world.spec_of(job_of_many_keys()));
  TestAnswer<std::string> savepoint;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(4));
    master.take_savepoint("/checkpoints", savepoint.take());
    CHECK(savepoint.wait());
    const std::size_t before = world.listener->completed().size();
    CHECK(world.listener->wait_for_checkpoints(before + 4));
    master.request_stop();
  });
  CHECK(result.status == JobStatus::suspended);
  REQUIRE(savepoint.result());
  const auto snapshot = read_snapshot(world.files(), *savepoint.result());
  REQUIRE(snapshot);
  CHECK(shared_names_of(snapshot->metadata).empty());
  CHECK(snapshot->metadata.history.back().new_bytes ==
        snapshot->metadata.history.back().full_bytes);
  CHECK(verify_files(world.files(), *savepoint.result(), snapshot->metadata, true));
  CHECK(is_increment(world.listener->completed().back()));
  CHECK(present(world, spec) == needed(world, spec));
}

TEST_CASE("incremental: a full checkpoint is one when it is asked for, and later ones build on it",
          "[runtime]") {
  JobWorld world;
  CountingJob job = job_of_many_keys();
  job.records_per_second = 2000;
  const JobSpec spec = incremental(world.spec_of(job, std::nullopt));
  const auto take = [&](JobMaster& master, bool full) {
    TestAnswer<CheckpointSummary> answer;
    master.take_checkpoint(full, answer.take());
    CHECK(answer.wait());
    return answer.result() ? *answer.result() : CheckpointSummary{};
  };
  std::vector<CheckpointSummary> taken;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    const Instant begun = RealClock().now();
    while (world.outside.records().size() < job.keys && RealClock().now() - begun < 1min)
      take(master, false);
    for (const bool full : {false, false, true, false}) taken.push_back(take(master, full));
    master.request_stop();
  });
  CHECK(result.status == JobStatus::suspended);
  REQUIRE(taken.size() == 4);
  CHECK(is_increment(taken[1]));
  CHECK_FALSE(is_increment(taken[2]));
  CHECK(is_increment(taken[3]));
  CHECK(present(world, spec) == needed(world, spec));
}

TEST_CASE("incremental: what stays in memory is whole", "[runtime]") {
  JobWorld world;
  const CountingJob job = job_of_many_keys(4000);
  JobSpec spec = incremental(world.spec_of(job));
  spec.checkpoint_store = nullptr;
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(world.outside.records() == job.expected());
  CHECK(increments(world.listener->completed()) == 0);
}

}  // namespace
}  // namespace streamrun
