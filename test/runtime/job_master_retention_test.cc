// Which checkpoints are left behind by a job: each way to end with each policy.
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

enum class End { input, stop, drain, cancel, cancel_waiting, failure, signal };

struct Row {
  End end;
  JobStatus status;
  bool no_externalized, delete_on_cancellation, retain_on_cancellation;  ///< are any kept?
};

constexpr Row kTable[] = {
    {End::input, JobStatus::finished, false, false, false},
    {End::stop, JobStatus::finished, false, false, false},
    {End::drain, JobStatus::finished, false, false, false},
    {End::cancel, JobStatus::canceled, false, false, true},
    {End::cancel_waiting, JobStatus::canceled, false, false, true},
    {End::failure, JobStatus::failed, false, true, true},
    {End::signal, JobStatus::suspended, false, true, true},
};

TEST_CASE("job master: which checkpoints stay is decided by how the job ends and by the policy",
          "[runtime]") {
  const Row row = GENERATE(from_range(std::begin(kTable), std::end(kTable)));
  const auto policy = GENERATE(CheckpointRetention::no_externalized_checkpoints,
                               CheckpointRetention::delete_on_cancellation,
                               CheckpointRetention::retain_on_cancellation);
  INFO("end " << static_cast<int>(row.end) << ", policy " << static_cast<int>(policy));
  JobWorld world;
  std::atomic<bool> fail{false};
  CountingJob job{.records_per_second = 10000, .watch = [&](std::uint64_t) {
                    if (fail) throw std::runtime_error("always");
                  }};
  if (row.end == End::input) job.count = 2000;
  JobSpec spec = world.spec_of(job);
  spec.retention = policy;
  spec.retained = 2;
  spec.restart = {};
  if (row.end == End::cancel_waiting)
    spec.restart = {.type = RestartOptions::Type::fixed_delay, .delay = std::chrono::hours(1)};
  TestAnswer<std::string> path;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(3));
    switch (row.end) {
      case End::input:
        return;
      case End::stop:
      case End::drain:
        return master.stop_with_savepoint("/checkpoints", row.end == End::drain, path.take());
      case End::cancel:
        return master.cancel(TestAnswer<void>().take());
      case End::cancel_waiting:
        fail = true;
        CHECK(world.listener->wait_for_restarts(1));
        return master.cancel(TestAnswer<void>().take());
      case End::failure:
        fail = true;
        return;
      case End::signal:
        return master.request_stop();
    }
  });
  CHECK(result.status == row.status);
  const bool kept = policy == CheckpointRetention::no_externalized_checkpoints ? row.no_externalized
                    : policy == CheckpointRetention::delete_on_cancellation
                        ? row.delete_on_cancellation
                        : row.retain_on_cancellation;
  CHECK(world.checkpoints_of(spec.id).size() == (kept ? 2U : 0U));
  const bool savepoint = row.end == End::stop || row.end == End::drain;
  CHECK(result.resume_path.empty() == !(kept || savepoint));
  if (!result.resume_path.empty()) CHECK(read_snapshot(world.files(), result.resume_path));
}

TEST_CASE(
    "job master: a checkpoint that completes while the job fails leaves no more than are kept",
    "[runtime]") {
  JobWorld world;
  Gate publication;
  std::atomic<bool> fail{false};
  const CountingJob job{.records_per_second = 10000, .watch = [&](std::uint64_t) {
                          if (fail) throw std::runtime_error("always");
                        }};
  JobSpec spec = world.spec_of(job);
  spec.retained = 1;
  spec.restart = {};
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.what != "rename" || step.path.find("/chk-2/") == std::string::npos) return;
    fail = true;
    publication.wait();
  });
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_status(master, JobStatus::failing));
    publication.open();
  });
  world.files().before_step({});
  CHECK(result.status == JobStatus::failed);
  CHECK(world.checkpoints_of(spec.id) == std::vector<std::string>{"chk-2"});
}

TEST_CASE("job master: a cancelled job commits nothing more", "[runtime]") {
  JobWorld world;
  const CountingJob job{.records_per_second = 10000};
  TestAnswer<void> answer;
  std::size_t visible = 0;
  const JobResult& result = world.run(world.spec_of(job, std::nullopt), [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    master.cancel(answer.take());
    CHECK(answer.wait());
    visible = world.outside.records().size();
  });
  CHECK(answer.result());
  CHECK(result.status == JobStatus::canceled);
  CHECK(visible == 0);
  CHECK(world.outside.records().empty());
}

TEST_CASE("job master: a job may be cancelled at any moment of its life", "[runtime]") {
  const int moment = GENERATE(range(0, 12));
  JobWorld world;
  const CountingJob job{.records_per_second = 10000};
  TestAnswer<void> answer;
  std::atomic<int> steps{0};
  std::atomic<JobMaster*> asked{nullptr};
  world.files().before_step([&](const sim::StorageStep&) {
    JobMaster* const master = asked;
    if (master != nullptr && steps++ == moment * 5) master->cancel(answer.take());
  });
  const JobResult& result = world.run(world.spec_of(job), [&](JobMaster& master) {
    asked = &master;
    CHECK(answer.wait());
    asked = nullptr;
  });
  world.files().before_step({});
  CHECK(result.status == JobStatus::canceled);
  CHECK(answer.result());
}

}  // namespace
}  // namespace streamrun
