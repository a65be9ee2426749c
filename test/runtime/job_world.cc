#include "job_world.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/platform/threaded_executor.h>

#include <catch2/catch.hpp>

#include "collecting_sink.h"

namespace streamrun {

std::vector<std::string> CountingJob::expected() const {
  std::vector<std::string> rows;
  for (std::uint64_t number = 0; number < count; ++number) {
    const bool last = number + keys >= count;
    if (emits_at_end && !last) continue;
    rows.push_back(std::to_string(number % keys) + "=" + std::to_string(number / keys + 1));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

JobGraph CountingJob::graph(Outside& outside) const {
  StreamExecutionEnvironment env;
  const GeneratorSource<std::uint64_t> numbers{.make = [](std::uint64_t index) { return index; },
                                               .count = count,
                                               .records_per_second = records_per_second};
  env.from_source(numbers, {.uid = "numbers"})
      .map([watch = watch, keys = keys](std::uint64_t number) {
        if (watch) watch(number);
        return number % keys;
      })
      .key_by(std::identity{})
      .aggregate(counting(),
                 [](std::uint64_t key, std::int64_t times) {
                   return std::to_string(key) + "=" + std::to_string(times);
                 },
                 {.uid = "counts", .emit = emits_at_end ? Emit::at_end_of_input : Emit::on_update})
      .sink_to(CollectingSink{&outside}, {.uid = "rows"});
  return make_job_graph(env.take_graph(), {.parallelism = parallelism});
}

JobWorld::JobWorld() {
  auto disk = std::make_unique<sim::MemoryFileSystem>();
  disk->create_directories("/checkpoints").value();
  files_ = disk.get();
  stores_.add("file", std::move(disk));
}

JobSpec JobWorld::spec_of(const CountingJob& job, std::optional<Duration> interval) {
  JobSpec spec;
  spec.id = JobId(random_.next128());
  spec.family_id = spec.id;
  spec.name = "counting";
  spec.registered_name = "counting";
  spec.version = "test";
  spec.working_directory = "/";
  spec.parallelism = job.parallelism;
  spec.graph = job.graph(outside);
  spec.workers = job.parallelism;
  spec.control_worker = job.parallelism;
  spec.checkpoints.interval = interval;
  spec.checkpoint_store = files_;
  spec.checkpoint_root = "/checkpoints";
  spec.inline_threshold = 0;
  spec.restart = {.type = RestartOptions::Type::fixed_delay,
                  .attempts = 3,
                  .delay = std::chrono::milliseconds(1)};
  return spec;
}

JobSpec JobWorld::resumed(const CountingJob& job, const std::string& snapshot,
                          const JobSpec& before, std::optional<Duration> interval) {
  JobSpec spec = spec_of(job, interval);
  spec.family_id = before.family_id;
  spec.restore = read_snapshot(*files_, snapshot).value();
  return spec;
}

const JobResult& JobWorld::run(JobSpec spec, const std::function<void(JobMaster&)>& meanwhile) {
  ThreadPool io(4);
  ThreadedExecutor executor(spec.workers + 1);
  Environment environment{clock_, random_, executor, io, log};
  JobMaster master(environment, stores_, std::move(spec), *listener);
  master.start();
  if (meanwhile) meanwhile(master);
  REQUIRE(listener->wait_for_end());
  return listener->result();
}

std::vector<std::string> JobWorld::checkpoints_of(const JobId& job) {
  std::vector<std::string> found;
  const std::vector<FileStatus> listed = files_->list("/checkpoints/" + to_string(job)).value();
  for (const FileStatus& each : listed) {
    if (base_name(each.path).starts_with("chk-")) found.push_back(base_name(each.path));
  }
  return found;
}

}  // namespace streamrun
