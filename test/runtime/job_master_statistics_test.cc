// What each snapshot records of itself and of those before it.
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <string>

#include <catch2/catch.hpp>

#include "answer.h"
#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

TEST_CASE(
    "job master: a snapshot records what it took and the last ones before it, failed ones too",
    "[runtime]") {
  JobWorld world;
  const CountingJob job{.records_per_second = 20000};
  JobSpec spec = world.spec_of(job);
  spec.history = 4;
  spec.checkpoints.tolerable_failures = 10;
  std::atomic<int> left{1};
  world.files().before_step([&](const sim::StorageStep& step) {
    const bool of_third = step.what == "create" && step.path.find("/chk-3/") != std::string::npos;
    if (of_third && left-- > 0) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_full, .message = "the disk is full"});
    }
  });
  TestAnswer<std::string> savepoint;
  const JobResult stopped = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(4));
    master.stop_with_savepoint("/checkpoints", false, savepoint.take());
  });
  world.files().before_step({});
  REQUIRE(savepoint.result());
  const CheckpointMetadata metadata =
      read_snapshot(world.files(), *savepoint.result()).value().metadata;
  REQUIRE(metadata.history.size() == 5);
  const CheckpointStatistics& own = metadata.history.back();
  CHECK(own.id == metadata.id);
  CHECK(own.kind == SnapshotKind::savepoint);
  CHECK(own.triggered_unix_ms == metadata.triggered_unix_ms);
  CHECK(own.took_ms >= 0);
  CHECK(own.took_ms <= metadata.completed_unix_ms - metadata.triggered_unix_ms);
  CHECK(own.failure.empty());
  CHECK(own.acknowledged == own.subtasks);
  REQUIRE(own.by_subtask.size() == static_cast<std::size_t>(own.subtasks));
  std::uint64_t bytes = 0;
  for (const SubtaskStatistics& subtask : own.by_subtask) {
    INFO(subtask.task);
    CHECK(subtask.acknowledged_unix_ms >= own.triggered_unix_ms);
    CHECK(subtask.start_delay_ms >= 0);
    CHECK(subtask.alignment_ms >= 0);
    CHECK(subtask.sync_ms >= 0);
    CHECK(subtask.async_ms >= 0);
    CHECK(subtask.new_bytes == subtask.full_bytes);
    CHECK(subtask.in_flight_bytes == 0);
    bytes += subtask.full_bytes;
  }
  CHECK(bytes > 0);
  CHECK(own.full_bytes >= bytes);
  for (std::size_t i = 1; i < metadata.history.size(); ++i)
    CHECK(metadata.history[i - 1].id < metadata.history[i].id);
  for (std::size_t i = 0; i + 1 < metadata.history.size(); ++i)
    CHECK(metadata.history[i].by_subtask.empty());

  // A failed one stands among them while it is one of the last four; a resumed run goes on with
  // them.
  TestListener& listener = world.new_listener();
  JobSpec second = world.resumed(job, *savepoint.result(), spec);
  second.history = 100;
  second.restore->metadata.history[1].failure = "as the test says";
  TestAnswer<CheckpointSummary> next;
  world.run(second, [&](JobMaster& master) {
    CHECK(listener.wait_for_running());
    master.take_checkpoint(false, next.take());
    CHECK(next.wait());
    if (next.result()) {
      const auto read = read_snapshot(world.files(), next.result()->path);
      if (read) {
        CHECK(read->metadata.history.size() > metadata.history.size());
        CHECK(read->metadata.history[1].failure == "as the test says");
        CHECK(read->metadata.history[metadata.history.size() - 1].id == metadata.id);
      }
    }
    master.cancel(TestAnswer<void>().take());
  });
}

TEST_CASE("job master: a checkpoint that failed is told with its reason by the next one",
          "[runtime]") {
  JobWorld world;
  const CountingJob job{.records_per_second = 20000};
  JobSpec spec = world.spec_of(job, std::nullopt);
  spec.checkpoints.tolerable_failures = 10;
  std::atomic<int> left{1};
  world.files().before_step([&](const sim::StorageStep& step) {
    const bool of_state = step.what == "create" && step.path.find("/chk-1/") != std::string::npos;
    if (of_state && left-- > 0) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_full, .message = "the disk is full"});
    }
  });
  TestAnswer<CheckpointSummary> failed;
  TestAnswer<CheckpointSummary> good;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    master.take_checkpoint(false, failed.take());
    CHECK(failed.wait());
    master.take_checkpoint(false, good.take());
    CHECK(good.wait());
    master.cancel(TestAnswer<void>().take());
  });
  world.files().before_step({});
  CHECK(result.status == JobStatus::canceled);
  REQUIRE_FALSE(failed.result());
  REQUIRE(good.result());
  const CheckpointMetadata metadata =
      read_snapshot(world.files(), good.result()->path).value().metadata;
  REQUIRE(metadata.history.size() == 2);
  CHECK(metadata.history[0].failure.find("the disk is full") != std::string::npos);
  CHECK(metadata.history[0].acknowledged < metadata.history[0].subtasks);
  CHECK(metadata.history[1].failure.empty());
}

}  // namespace
}  // namespace streamrun
