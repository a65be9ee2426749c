// Savepoints, and jobs that end with one.
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

#include "answer.h"
#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// A world with a folder for savepoints, and a job that does not end by itself in a test's time.
struct SavepointWorld : JobWorld {
  SavepointWorld() { files().create_directories("/savepoints").value(); }
  JobSpec spec_with_folder(const CountingJob& counting,
                           std::optional<Duration> interval = std::chrono::milliseconds(5)) {
    JobSpec spec = spec_of(counting, interval);
    spec.savepoint_store = &files();
    spec.savepoint_root = "/savepoints";
    return spec;
  }
  CountingJob job{.records_per_second = 10000};
};

TEST_CASE("job master: a savepoint is complete in a folder of its own and a run goes on from it",
          "[runtime]") {
  const auto [before, after] = GENERATE(table<int, int>({{1, 1}, {2, 3}, {4, 1}}));
  const bool with_interval = GENERATE(true, false);
  SavepointWorld world;
  world.job.parallelism = before;
  const JobSpec first = world.spec_with_folder(
      world.job, with_interval ? std::optional<Duration>(5ms) : std::nullopt);
  TestAnswer<std::string> answer;
  std::size_t visible = 0;
  const JobResult cancelled = world.run(first, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    master.take_savepoint("", answer.take());
    CHECK(answer.wait());
    if (!with_interval) visible = world.outside.records().size();
    master.cancel(TestAnswer<void>().take());
  });
  REQUIRE(answer.result());
  const std::string path = *answer.result();
  CHECK(path.starts_with("/savepoints/savepoint-" + to_string(first.id).substr(0, 6) + "-"));
  CHECK(visible == 0);  // it commits nothing
  CHECK(cancelled.status == JobStatus::canceled);
  const ResolvedSnapshot snapshot = read_snapshot(world.files(), path).value();
  CHECK(snapshot.metadata.kind == SnapshotKind::savepoint);

  // Another machine: what the first run committed behind the savepoint is not there.
  JobWorld& again = world;
  Outside other;
  again.new_listener();
  CountingJob job = world.job;
  job.parallelism = after;
  job.records_per_second = 0;
  JobSpec second = again.resumed(job, path, first);
  second.graph = job.graph(other);
  CHECK(second.restore->metadata.id < 1000000);
  CHECK(again.run(second).status == JobStatus::finished);
  CHECK((other.records().size() <= job.expected().size()));
  CHECK(read_snapshot(world.files(), path));
}

TEST_CASE("job master: savepoints are taken beside checkpoints and count for no retention",
          "[runtime]") {
  SavepointWorld world;
  world.job.records_per_second = 20000;
  JobSpec spec = world.spec_with_folder(world.job);
  spec.retained = 1;
  std::vector<TestAnswer<std::string>> answers(5);
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    for (auto& answer : answers) master.take_savepoint("", answer.take());
    for (auto& answer : answers) CHECK(answer.wait());
    CHECK(world.listener->wait_for_checkpoints(world.listener->completed().size() + 3));
  });
  CHECK(result.status == JobStatus::finished);
  CHECK((world.outside.records() == world.job.expected()));
  CHECK(world.checkpoints_of(spec.id).empty());
  for (auto& answer : answers) {
    REQUIRE(answer.result());
    CHECK(read_snapshot(world.files(), *answer.result()));
  }
  CHECK(world.files().list("/savepoints").value().size() == answers.size());
  CHECK(world.listener->savepoints().size() == answers.size());
}

TEST_CASE(
    "job master: stop with savepoint commits, ends FINISHED, and a run goes on to exact output",
    "[runtime]") {
  const bool drain = GENERATE(false, true);
  const bool at_end = GENERATE(false, true);
  const bool exactly_once = GENERATE(true, false);
  if (drain && at_end) return;  // drained results are not to be resumed
  SavepointWorld world;
  world.job.emits_at_end = at_end;
  JobSpec first = world.spec_with_folder(world.job);
  first.exactly_once = exactly_once;
  TestAnswer<std::string> answer;
  const JobResult stopped = world.run(first, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(3));
    master.stop_with_savepoint("", drain, answer.take());
  });
  REQUIRE(stopped.status == JobStatus::finished);
  REQUIRE(answer.result());
  CHECK(stopped.resume_path == *answer.result());
  CHECK(world.checkpoints_of(first.id).empty());
  // What finds nothing else there is told of the savepoint.
  const std::string marker =
      world.files().files().at("/checkpoints/" + to_string(first.id) + "/finished");
  CHECK(marker.find(*answer.result()) != std::string::npos);
  if (!at_end) CHECK(world.outside.records().size() == stopped.records_out);

  world.new_listener();
  world.job.records_per_second = 0;
  CHECK(world.run(world.resumed(world.job, stopped.resume_path, first)).status ==
        JobStatus::finished);
  CHECK((world.outside.records() == world.job.expected()));
}

TEST_CASE("job master: drain sends the end of the input through first", "[runtime]") {
  SavepointWorld world;
  world.job.emits_at_end = true;
  world.job.keys = 7;  // so few that either reader alone has met all of them by then
  TestAnswer<std::string> answer;
  const JobResult& result = world.run(world.spec_with_folder(world.job), [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(2));
    master.stop_with_savepoint("", true, answer.take());
  });
  CHECK(result.status == JobStatus::finished);
  CHECK(answer.result());
  // One row a key: the totals so far.
  CHECK(world.outside.records().size() == world.job.keys);
}

TEST_CASE("job master: a stop whose savepoint can't be written is answered, and the job goes on",
          "[runtime]") {
  const bool drain = GENERATE(false, true);
  SavepointWorld world;
  const JobSpec spec = world.spec_with_folder(world.job);
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.what == "rename" && step.path.starts_with("/savepoints/")) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_full, .message = "the disk is full"});
    }
  });
  TestAnswer<std::string> answer;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(2));
    master.stop_with_savepoint("", drain, answer.take());
  });
  world.files().before_step({});
  REQUIRE_FALSE(answer.result());
  CHECK(answer.result().error().code == ErrorCode::store_full);
  CHECK(result.status == JobStatus::finished);  // at the end of its input
  CHECK(result.restarts == (drain ? 1 : 0));    // what was drained can't be taken back otherwise
  CHECK((world.outside.records() == world.job.expected()));
  CHECK(world.files().list("/savepoints").value().empty());
}

TEST_CASE("job master: a savepoint without a folder is refused with the key that sets one",
          "[runtime]") {
  JobWorld world;
  const CountingJob job{.records_per_second = 10000};
  TestAnswer<std::string> savepoint;
  TestAnswer<std::string> stop;
  TestAnswer<std::string> elsewhere;
  const JobResult& result = world.run(world.spec_of(job), [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    master.take_savepoint("", savepoint.take());
    master.stop_with_savepoint("", false, stop.take());
    master.take_savepoint("nowhere/below", elsewhere.take());
    CHECK(elsewhere.wait());
  });
  CHECK(result.status == JobStatus::finished);
  for (auto* answer : {&savepoint, &stop}) {
    REQUIRE_FALSE(answer->result());
    CHECK(answer->result().error().message.find("state.savepoints.dir") != std::string::npos);
  }
  REQUIRE_FALSE(elsewhere.result());
  CHECK(elsewhere.result().error().code == ErrorCode::path);
}

TEST_CASE("job master: cancel with savepoint ends CANCELED and leaves both behind", "[runtime]") {
  SavepointWorld world;
  const JobSpec spec = world.spec_with_folder(world.job);
  TestAnswer<std::string> answer;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(1));
    master.cancel_with_savepoint("/savepoints/mine", answer.take());
  });
  CHECK(result.status == JobStatus::canceled);
  REQUIRE(answer.result());
  CHECK(answer.result()->starts_with("/savepoints/mine/savepoint-"));
  CHECK(result.resume_path == *answer.result());
  CHECK_FALSE(world.checkpoints_of(spec.id).empty());
}

TEST_CASE("job master: stopped by a signal it leaves a savepoint where there is a folder for them",
          "[runtime]") {
  const bool savepoint_fails = GENERATE(false, true);
  SavepointWorld world;
  const JobSpec first = world.spec_with_folder(world.job);
  world.files().before_step([&](const sim::StorageStep& step) {
    if (savepoint_fails && step.what == "create_directory" &&
        step.path.starts_with("/savepoints/")) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_full, .message = "the disk is full"});
    }
  });
  JobSpec tolerant = first;
  tolerant.checkpoints.tolerable_failures = 1;
  const JobResult stopped = world.run(tolerant, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(1));
    master.request_stop();
  });
  CHECK(stopped.status == JobStatus::suspended);
  CHECK(stopped.stopped_cleanly);
  CHECK(stopped.resume_path.starts_with(savepoint_fails ? "/checkpoints/" : "/savepoints/"));
  CHECK_FALSE(world.checkpoints_of(first.id).empty());
  world.new_listener();
  CHECK(world.run(world.resumed(world.job, stopped.resume_path, first)).status ==
        JobStatus::finished);
  CHECK((world.outside.records() == world.job.expected()));
}

TEST_CASE(
    "job master: a failure goes back to the newest checkpoint, or if told so to a newer savepoint",
    "[runtime]") {
  const bool prefer_checkpoint = GENERATE(true, false);
  SavepointWorld world;
  std::atomic<bool> fail{false};
  world.job.watch = [&](std::uint64_t) {
    if (fail.exchange(false)) throw std::runtime_error("once");
  };
  JobSpec spec = world.spec_with_folder(world.job, std::nullopt);
  spec.prefer_checkpoint = prefer_checkpoint;
  TestAnswer<CheckpointSummary> checkpoint;
  TestAnswer<std::string> savepoint;
  std::vector<std::string> opened;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    master.take_checkpoint(false, checkpoint.take());
    CHECK(checkpoint.wait());
    master.take_savepoint("", savepoint.take());
    CHECK(savepoint.wait());
    world.files().before_step([&](const sim::StorageStep& step) {
      if (step.what == "create" && step.path.find(".probe.") != std::string::npos)
        opened.push_back(parent_path(step.path));
    });
    fail = true;
    CHECK(world.listener->wait_for_restarts(1));
  });
  world.files().before_step({});
  REQUIRE(checkpoint.result());
  REQUIRE(savepoint.result());
  CHECK(result.status == JobStatus::finished);
  REQUIRE_FALSE(opened.empty());
  CHECK(opened.front() == (prefer_checkpoint ? checkpoint.result()->path : *savepoint.result()));
  CHECK(world.listener->restart_points() ==
        std::vector<std::string>{prefer_checkpoint ? "chk-1" : *savepoint.result()});
  CHECK((world.outside.records() == world.job.expected()));
}

TEST_CASE(
    "job master: a failure behind the last savepoint goes back to it and repeats nothing (E2)",
    "[runtime]") {
  SavepointWorld world;
  JobSpec spec = world.spec_with_folder(world.job);
  std::atomic<bool> saved{false};
  std::atomic<int> refused{0};
  // One sink's part of the savepoint becomes visible, the other's does not.
  world.outside.refuses = [&] { return saved && refused.fetch_add(1) == 1; };
  world.listener->when_savepoint = [&] { saved = true; };
  TestAnswer<std::string> answer;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(2));
    master.stop_with_savepoint("", false, answer.take());
  });
  CHECK(result.status == JobStatus::finished);
  REQUIRE(refused >= 2);
  CHECK(result.restarts == 1);
  CHECK((world.outside.records() == world.job.expected()));  // the input ended by itself then
  REQUIRE_FALSE(answer.result());
  CHECK(answer.result().error().message.find("/savepoints/") != std::string::npos);
}

TEST_CASE(
    "job master: a state too large for checkpoints in memory fails them, and says what to set",
    "[runtime]") {
  const bool periodic = GENERATE(true, false);
  JobWorld world;
  const CountingJob job{.records_per_second = 20000};
  JobSpec spec = world.spec_of(job, periodic ? std::optional<Duration>(5ms) : std::nullopt);
  spec.checkpoint_store = nullptr;
  spec.memory_limit = 50;
  spec.restart = {};
  const JobResult& result = world.run(spec);
  if (!periodic) {  // the one at the end only commits
    CHECK(result.status == JobStatus::finished);
    CHECK((world.outside.records() == job.expected()));
    return;
  }
  CHECK(result.status == JobStatus::failed);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::store_full);
  CHECK(result.error->message.find(
            "is too large for checkpoints in memory, where it may have 50") != std::string::npos);
  REQUIRE_FALSE(result.error->tries.empty());
  CHECK(result.error->tries[0].find("state.checkpoints.dir") != std::string::npos);
}

TEST_CASE("job master: whoever asks a job that has ended is told so, once", "[runtime]") {
  SavepointWorld world;
  world.job.count = 100;
  world.job.records_per_second = 0;
  TestAnswer<JobOverview> overview;
  TestAnswer<void> cancel;
  TestAnswer<std::string> stop;
  world.run(world.spec_with_folder(world.job), [&](JobMaster& master) {
    CHECK(world.listener->wait_for_end());
    master.ask_overview(overview.take());
    master.cancel(cancel.take());
    master.stop_with_savepoint("", false, stop.take());
    CHECK(overview.wait());
    CHECK(cancel.wait());
    CHECK(stop.wait());
  });
  REQUIRE_FALSE(stop.result());
  CHECK(stop.result().error().message == "the job has ended");
}

TEST_CASE("job master: a running job tells what it does", "[runtime]") {
  SavepointWorld world;
  const JobSpec spec = world.spec_with_folder(world.job);
  TestAnswer<JobOverview> answer;
  world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(1));
    master.ask_overview(answer.take());
    CHECK(answer.wait());
    master.cancel(TestAnswer<void>().take());
  });
  REQUIRE(answer.result());
  CHECK(answer.result()->id == spec.id);
  CHECK(answer.result()->name == "counting");
  CHECK(answer.result()->status == JobStatus::running);
  CHECK(answer.result()->started_unix_ms > 0);
  CHECK(answer.result()->last_change_unix_ms >= answer.result()->started_unix_ms);
  CHECK(answer.result()->report.last_checkpoint);
  REQUIRE_FALSE(answer.result()->tasks.empty());
  CHECK(answer.result()->tasks.size() == answer.result()->report.tasks.size());
  CHECK(answer.result()->tasks.front().state == "running");
}

}  // namespace
}  // namespace streamrun
