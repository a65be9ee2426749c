// How a job ends: its last checkpoint, and what is removed behind it.
#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

std::string path_of(const JobSpec& spec, CheckpointId id) {
  return "/checkpoints/" + to_string(spec.id) + "/chk-" + std::to_string(id);
}

TEST_CASE(
    "job master: the final checkpoint goes to the directory if an older one there could be resumed",
    "[runtime]") {
  JobWorld world;
  Gate gate;
  const CountingJob job{.watch = [&](std::uint64_t number) {
    if (number == 10000) gate.wait();
  }};
  const JobSpec spec = world.spec_of(job, std::nullopt);
  TestListener& listener = *world.listener;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(listener.wait_for_running());
    master.request_checkpoint();
    gate.open();
    CHECK(listener.wait_for_end());
  });
  REQUIRE(result.status == JobStatus::finished);
  REQUIRE(listener.completed().size() == 2);
  CHECK(listener.completed()[0].path == path_of(spec, 1));
  CHECK(listener.completed()[1].path == path_of(spec, 2));
  CHECK(world.checkpoints_of(spec.id).empty());
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE(
    "job master: the final checkpoint of a resumed job goes to the directory, since its snapshot "
    "stays",
    "[runtime]") {
  JobWorld world;
  CountingJob job{.records_per_second = 10000};
  const JobSpec first = world.spec_of(job);
  const JobResult stopped = world.run(first, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(1));
    master.request_stop();
  });
  REQUIRE(stopped.status == JobStatus::suspended);
  TestListener& listener = world.new_listener();
  job.records_per_second = 0;
  const JobSpec spec = world.resumed(job, stopped.resume_path, first, std::nullopt);
  CHECK(world.run(spec).status == JobStatus::finished);
  REQUIRE(listener.completed().size() == 1);
  CHECK(listener.completed()[0].path == path_of(spec, spec.restore->metadata.id + 1));
  CHECK((world.outside.records() == job.expected()));
}

TEST_CASE(
    "job master: a final checkpoint that failed is asked for again after a second, not before",
    "[runtime]") {
  JobWorld world;
  const RealClock clock;
  std::mutex mutex;
  std::vector<Instant> tries;  // guarded by mutex
  std::atomic<int> left{1};
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.path.find("/chk-") == std::string::npos) return;
    if (step.what == "create_directory") {
      const std::lock_guard lock(mutex);
      tries.push_back(clock.now());
    } else if (step.what == "create" && left-- > 0) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_io, .message = "the disk failed"});
    }
  });
  const CountingJob job{.count = 1000};
  JobSpec spec = world.spec_of(job, 1h);
  spec.checkpoints.tolerable_failures = 1000000;
  CHECK(world.run(spec).status == JobStatus::finished);
  REQUIRE(tries.size() == 2);
  CHECK(tries[1] - tries[0] >= 1s);
}

TEST_CASE("job master: checkpoints that can't be removed at the end are a warning, not a failure",
          "[runtime]") {
  JobWorld world;
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.what == "remove_file" && step.path.ends_with("/_metadata")) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::store_io, .message = "the disk failed"});
    }
  });
  const CountingJob job{.count = 5000, .records_per_second = 50000};
  const JobSpec spec = world.spec_of(job);
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK_FALSE(result.error);
  CHECK((world.outside.records() == job.expected()));
  const std::string folder = "/checkpoints/" + to_string(spec.id) + "/";
  const auto left = world.checkpoints_of(spec.id);
  CHECK(left.size() >= static_cast<std::size_t>(spec.retained));
  for (const std::string& name : left)
    CHECK(world.log.count("could not remove " + folder + name + ":") == 1);
  CHECK(world.files().files().contains(folder + "finished"));
}

TEST_CASE("job master: something else in a checkpoint's folder at the end is a warning",
          "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 5000, .records_per_second = 50000};
  const JobSpec spec = world.spec_of(job);
  std::atomic<bool> put{false};
  world.files().before_step([&](const sim::StorageStep& step) {
    const bool marks_the_end =
        step.what == "create" && step.path.find(".finished.tmp-") != std::string::npos;
    if (!marks_the_end || put.exchange(true)) return;
    for (const std::string& name : world.checkpoints_of(spec.id)) {
      world.files().create("/checkpoints/" + to_string(spec.id) + "/" + name + "/note").value();
    }
  });
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(world.log.count("something that is not ours lies in it") > 0);
}

}  // namespace
}  // namespace streamrun
