// What is left of checkpoints that were given up while tasks still wrote files for them.
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// Holds up the first state file of chk-1, just before it is synced, until the gate opens.
struct HeldFile {
  explicit HeldFile(JobWorld& world) {
    world.files().before_step([this](const sim::StorageStep& step) {
      const bool is_it = step.what == "sync" && step.path.find("/chk-1/") != std::string::npos &&
                         is_uuid_name(base_name(step.path));
      if (!is_it || held.exchange(true)) return;
      gate.wait();
    });
  }
  std::atomic<bool> held{false};
  Gate gate;
};

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST_CASE("job master: a file that was still being written when its attempt failed is removed (R4)",
          "[runtime]") {
  JobWorld world;
  HeldFile file(world);
  std::atomic<bool> thrown{false};
  const CountingJob job{.count = 0, .records_per_second = 20000, .watch = [&](std::uint64_t) {
                          if (file.held && !thrown.exchange(true)) throw std::runtime_error("once");
                        }};
  const JobSpec spec = world.spec_of(job);
  TestListener& listener = *world.listener;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(listener.wait_for_status(master, JobStatus::failing));
    file.gate.open();
    CHECK(listener.wait_for_checkpoints(2));
    CHECK_FALSE(holds(world.checkpoints_of(spec.id), "chk-1"));
    master.request_stop();
  });
  CHECK(result.status == JobStatus::suspended);
  CHECK(result.restarts == 1);
}

TEST_CASE(
    "job master: a file of a checkpoint that had expired before its attempt failed is removed (R4)",
    "[runtime]") {
  JobWorld world;
  HeldFile file(world);
  std::atomic<bool> expired{false};
  std::atomic<bool> thrown{false};
  const CountingJob job{.count = 0, .records_per_second = 20000, .watch = [&](std::uint64_t) {
                          if (expired && !thrown.exchange(true)) throw std::runtime_error("once");
                        }};
  JobSpec spec = world.spec_of(job);
  spec.checkpoints.timeout = 200ms;
  spec.checkpoints.tolerable_failures = 1000000;
  TestListener& listener = *world.listener;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(listener.wait_for_failures(1));
    expired = true;
    CHECK(listener.wait_for_status(master, JobStatus::failing));
    file.gate.open();
    CHECK(listener.wait_for_restarts(1));
    const std::size_t before = listener.completed().size();
    CHECK(listener.wait_for_checkpoints(before + 2));
    CHECK_FALSE(holds(world.checkpoints_of(spec.id), "chk-1"));
    master.request_stop();
  });
  CHECK(result.status == JobStatus::suspended);
  CHECK(result.restarts == 1);
}

TEST_CASE(
    "job master: what is acknowledged after a time-out is removed while the job goes on (R4, L3)",
    "[runtime]") {
  JobWorld world;
  std::atomic<bool> held{false};
  Gate file;
  Gate removed;
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.path.find("/chk-1") == std::string::npos) return;
    const bool late = step.what == "sync" && is_uuid_name(base_name(step.path));
    if (late && !held.exchange(true)) return file.wait();
    if (step.what == "remove_file" && file.is_open()) removed.open();
  });
  const CountingJob job{.count = 0, .records_per_second = 20000};
  JobSpec spec = world.spec_of(job);
  spec.checkpoints.timeout = 200ms;
  spec.checkpoints.tolerable_failures = 1000000;
  TestListener& listener = *world.listener;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(listener.wait_for_failures(1));
    file.open();
    removed.wait();
    CHECK(listener.wait_for_checkpoints(1));
    master.request_stop();
  });
  world.files().before_step({});
  CHECK(result.status == JobStatus::suspended);
  CHECK(result.restarts == 0);
  CHECK_FALSE(holds(world.checkpoints_of(spec.id), "chk-1"));
  REQUIRE_FALSE(listener.failed().empty());
  const Error& error = listener.failed().front();
  INFO(error.why);
  CHECK(error.message == "chk-1 was not complete within 0.2 s");
  CHECK(error.why.starts_with("the slowest is "));
  CHECK(error.why.find(", in the asynchronous part of its snapshot") != std::string::npos);
}

/// The `_metadata` of one checkpoint appears when the gate opens, its durability can't be
/// confirmed, and it can't be withdrawn: not at all, or not durably.
struct DoubtfulCheckpoint {
  DoubtfulCheckpoint(JobWorld& world, const std::string& name, bool name_stays) {
    world.files().before_step([this, &world, name, name_stays](const sim::StorageStep& step) {
      if (step.path.find("/" + name) == std::string::npos) return;
      if (step.what == "rename" && !appearing.exchange(true)) {
        gate.wait();
        appeared = true;
        return;
      }
      const bool fails =
          step.what == "sync_directory" || (name_stays && step.what == "remove_file");
      if (appeared && fails) {
        world.files().fail_call(step.number,
                                {.code = ErrorCode::store_io, .message = "the disk failed"});
      }
    });
  }
  /// All state files are still there, for a power cut may bring the name back.
  static bool is_kept(JobWorld& world, const JobSpec& spec, const std::string& name) {
    const std::string folder = "/checkpoints/" + to_string(spec.id) + "/" + name + "/";
    int files = 0;
    for (const auto& [path, bytes] : world.files().files()) {
      if (path.starts_with(folder) && is_uuid_name(base_name(path))) ++files;
    }
    return files == spec.parallelism;
  }
  std::atomic<bool> appearing{false};
  std::atomic<bool> appeared{false};
  Gate gate;
};

TEST_CASE(
    "job master: a checkpoint that falls in doubt while a failed attempt drains fails the job, and "
    "stays",
    "[runtime]") {
  const bool name_stays = GENERATE(true, false);
  INFO("its name stays: " << name_stays);
  JobWorld world;
  DoubtfulCheckpoint doubtful(world, "chk-2", name_stays);
  std::atomic<bool> thrown{false};
  const CountingJob job{.count = 0, .records_per_second = 20000, .watch = [&](std::uint64_t) {
                          if (doubtful.appearing && !thrown.exchange(true))
                            throw std::runtime_error("once");
                        }};
  const JobSpec spec = world.spec_of(job);
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_status(master, JobStatus::failing));
    doubtful.gate.open();
  });
  CHECK(result.status == JobStatus::failed);
  CHECK(result.restarts == 0);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::store_fatal);
  CHECK(DoubtfulCheckpoint::is_kept(world, spec, "chk-2"));
}

TEST_CASE(
    "job master: a stop whose time is over fails the job when its checkpoint falls in doubt after "
    "that",
    "[runtime]") {
  const bool name_stays = GENERATE(true, false);
  INFO("its name stays: " << name_stays);
  JobWorld world;
  DoubtfulCheckpoint doubtful(world, "chk-1", name_stays);
  const CountingJob job{.count = 0, .records_per_second = 20000};
  JobSpec spec = world.spec_of(job, 1h);
  spec.shutdown_timeout = 500ms;
  TestListener& listener = *world.listener;
  const JobResult& result = world.run(spec, [&](JobMaster& master) {
    CHECK(listener.wait_for_running());
    master.request_stop();
    CHECK(listener.wait_for_status(master, JobStatus::failing));
    doubtful.gate.open();
  });
  CHECK(doubtful.appeared);
  CHECK(result.status == JobStatus::failed);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::store_fatal);
  CHECK(DoubtfulCheckpoint::is_kept(world, spec, "chk-1"));
}

}  // namespace
}  // namespace streamrun
