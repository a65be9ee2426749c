// What a job goes back to after a failure, and what is asked for at its start only.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/file/file_source.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// A run that was stopped halfway, and what was visible by then.
struct StoppedRun {
  explicit StoppedRun(JobWorld& its_world) : world(its_world) {
    job.records_per_second = 10000;
    spec = world.spec_of(job);
    result = world.run(spec, [&](JobMaster& master) {
      CHECK(world.listener->wait_for_checkpoints(3));
      master.request_stop();
    });
    REQUIRE(result.status == JobStatus::suspended);
    before = world.outside.records();
    world.new_listener();
  }
  /// Rows that came after it was stopped, sorted.
  std::vector<std::string> rows_since() const {
    const std::vector<std::string> all = world.outside.records();
    std::vector<std::string> rows;
    std::set_difference(all.begin(), all.end(), before.begin(), before.end(),
                        std::back_inserter(rows));
    return rows;
  }
  /// What they are if all keys are counted from 1 again.
  std::vector<std::string> rows_counted_anew() const {
    std::map<std::uint64_t, std::uint64_t> times;
    std::vector<std::string> rows;
    for (std::uint64_t number = result.records_in; number < job.count; ++number) {
      const std::uint64_t key = number % job.keys;
      rows.push_back(std::to_string(key) + "=" + std::to_string(++times[key]));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  JobWorld& world;
  CountingJob job{.parallelism = 1};
  JobSpec spec;
  JobResult result;
  std::vector<std::string> before;
};

TEST_CASE(
    "job master: state that is dropped at the start is not dropped again when a task fails later",
    "[runtime]") {
  JobWorld world;
  StoppedRun stopped(world);
  std::atomic<int> completed{0};
  std::atomic<bool> thrown{false};
  world.listener->when_completed = [&](const CheckpointSummary&) { ++completed; };
  stopped.job.watch = [&](std::uint64_t) {
    if (completed >= 2 && !thrown.exchange(true)) throw std::runtime_error("once");
  };
  JobSpec spec = world.resumed(stopped.job, stopped.result.resume_path, stopped.spec);
  spec.drop_state = {"counts"};
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  CHECK((stopped.rows_since() == stopped.rows_counted_anew()));
}

TEST_CASE(
    "job master: state of an operator that is gone is dropped once; own checkpoints have none of "
    "it",
    "[runtime]") {
  JobWorld world;
  StoppedRun stopped(world);
  std::atomic<int> completed{0};
  std::atomic<bool> thrown{false};
  world.listener->when_completed = [&](const CheckpointSummary&) { ++completed; };
  stopped.job.watch = [&](std::uint64_t) {
    if (completed >= 2 && !thrown.exchange(true)) throw std::runtime_error("once");
  };
  JobSpec spec = world.resumed(stopped.job, stopped.result.resume_path, stopped.spec);
  for (OperatorSnapshot& op : spec.restore->metadata.operators) {
    if (op.uid != "counts") continue;
    op.uid = "gone";
    op.id = operator_id_of("gone");
  }
  spec.drop_state = {"gone"};
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK_FALSE(result.error);
  CHECK(result.restarts == 1);
  CHECK((stopped.rows_since() == stopped.rows_counted_anew()));
}

TEST_CASE(
    "job master: a task that fails before any checkpoint of a resumed run goes back to its "
    "snapshot",
    "[runtime]") {
  const bool drop = GENERATE(false, true);
  INFO("state is dropped: " << drop);
  JobWorld world;
  StoppedRun stopped(world);
  std::atomic<bool> thrown{false};
  stopped.job.watch = [&](std::uint64_t number) {
    if (number == stopped.job.count - 1 && !thrown.exchange(true)) throw std::runtime_error("once");
  };
  JobSpec spec = world.resumed(stopped.job, stopped.result.resume_path, stopped.spec, 1h);
  if (drop) spec.drop_state = {"counts"};
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  if (drop) {
    CHECK((stopped.rows_since() == stopped.rows_counted_anew()));
  } else {
    CHECK((world.outside.records() == stopped.job.expected()));
  }
}

// ---- what is not there when the run starts

/// From a file in `/in` to files in a folder.
JobGraph copying(const std::string& from, const std::string& to,
                 const std::function<void()>& watch = {}) {
  StreamExecutionEnvironment env;
  env.from_source(FileSource{.paths = {from}}, {.uid = "lines"})
      .map([watch](std::string_view line) {
        if (watch) watch();
        return std::string(line);
      })
      .sink_to(FileSink{.path = to}, {.uid = "rows"});
  return make_job_graph(env.take_graph(), {.parallelism = 1});
}

void put_input(JobWorld& world) {
  world.files().create_directories("/in").value();
  const auto file = world.files().create("/in/a").value();
  file->append("one\ntwo\n").value();
  file->close().value();
}

TEST_CASE("job master: input that is missing at the start is not tried again", "[runtime]") {
  JobWorld world;
  JobSpec spec = world.spec_of({});
  spec.graph = copying("/in/nothing", "/out");
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::failed);
  CHECK(result.restarts == 0);
  REQUIRE(result.error);
  CHECK(result.error->code == ErrorCode::path);
}

TEST_CASE(
    "job master: output that is missing or may not be written to at the start is not tried again",
    "[runtime]") {
  const ErrorCode code =
      GENERATE(ErrorCode::path, ErrorCode::permission, ErrorCode::store_read_only);
  JobWorld world;
  put_input(world);
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.what == "create" && step.path.starts_with("/out/"))
      world.files().fail_call(step.number, {.code = code, .message = "not here"});
  });
  JobSpec spec = world.spec_of({});
  spec.graph = copying("/in/a", "/out");
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::failed);
  CHECK(result.restarts == 0);
  REQUIRE(result.error);
  CHECK(result.error->code == code);
}

TEST_CASE("job master: output that could be opened once is tried again when it fails later",
          "[runtime]") {
  JobWorld world;
  put_input(world);
  std::atomic<bool> thrown{false};
  std::atomic<int> left{1};
  world.files().before_step([&](const sim::StorageStep& step) {
    const bool opens = thrown && step.what == "create" && step.path.starts_with("/out/");
    if (opens && left-- > 0) {
      world.files().fail_call(step.number,
                              {.code = ErrorCode::permission, .message = "not just now"});
    }
  });
  JobSpec spec = world.spec_of({});
  spec.graph = copying("/in/a", "/out", [&] {
    if (!thrown.exchange(true)) throw std::runtime_error("once");
  });
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 2);
}

}  // namespace
}  // namespace streamrun
