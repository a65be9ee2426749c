#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/operators/sink_operator.h>
#include <streamrun/runtime/family.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "checkpoint/samples.h"
#include "job_world.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;
using Committables = std::vector<std::string>;

/// The folder of a dead run with two checkpoints, which name `part-1` and `part-2`.
struct DeadRun {
  DeadRun() {
    must(files.create_directories("/ckpt"));
    CheckpointMetadata metadata = test::sample_metadata(1);
    const auto directory =
        must(CheckpointDirectory::open(files, "/ckpt", test::owner_of(metadata)));
    folder = directory->path();
    job = metadata.job_id;
    for (const CheckpointId id : {1, 2}) {
      metadata.id = id;
      must(directory->begin(id));
      metadata.operators[0].subtasks[0].lists = {test::list_state(
          std::string(kCommittablesState), Redistribution::split, {"part-" + std::to_string(id)})};
      op = metadata.operators[0].id;
      must(directory->publish(metadata));
    }
  }
  void damage(const std::string& checkpoint) {
    REQUIRE(files.flip_bit(folder + "/" + checkpoint + "/_metadata", 300, 2));
  }
  RunFate fate_for(const JobId& family) {
    return run_fate(files, "/ckpt", job, family, "wordcount");
  }

  MemoryFileSystem files;
  std::string folder;
  JobId job;
  OperatorId op;
};

TEST_CASE("family: a dead run is dead to its family, whatever became of its checkpoints",
          "[runtime]") {
  DeadRun run;
  const JobId family = must(list_job_folder(run.files, run.folder)).job->family_id;
  CHECK(run.fate_for(family) == RunFate::dead);
  run.damage("chk-1");
  CHECK(run.fate_for(family) == RunFate::dead);
  run.damage("chk-2");
  CHECK(run.fate_for(family) == RunFate::dead);
}

TEST_CASE("family: a run with nothing but damaged checkpoints is a stranger to other families",
          "[runtime]") {
  DeadRun run;
  run.damage("chk-1");
  run.damage("chk-2");
  CHECK(run.fate_for(test::job_id(0x77)) == RunFate::stranger);
}

TEST_CASE("family: a run that holds its lock is alive", "[runtime]") {
  DeadRun run;
  const JobId family = must(list_job_folder(run.files, run.folder)).job->family_id;
  const auto lock = must(run.files.lock(run.folder + "/.lock", "the run"));
  CHECK(run.fate_for(family) == RunFate::alive);
}

TEST_CASE("family: what a damaged checkpoint needs can't be told (R2)", "[runtime]") {
  DeadRun run;
  CHECK(committables_in(run.files, "/ckpt", run.job, run.op) == Committables{"part-2", "part-1"});
  run.damage("chk-1");
  CHECK_THROWS_AS(committables_in(run.files, "/ckpt", run.job, run.op), ErrorException);
}

TEST_CASE(
    "family: a snapshot that was taken back is gone for good before its committables count as none",
    "[runtime]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {  // what a power cut leaves is drawn from it
    DeadRun run;
    // Its process died between taking it back and making that durable.
    must(run.files.remove_file(run.folder + "/chk-2/_metadata"));
    CHECK(committables_in(run.files, "/ckpt", run.job, run.op) == Committables{"part-1"});
    test::SeededRandom random(seed);
    run.files.power_cut(random);
    CHECK(committables_in(run.files, "/ckpt", run.job, run.op) == Committables{"part-1"});
  }
}

TEST_CASE("family: what a disk does not confirm can't be told", "[runtime]") {
  DeadRun run;
  must(run.files.remove_file(run.folder + "/chk-2/_metadata"));
  run.files.before_step([&](const sim::StorageStep& step) {
    if (step.what != "sync_directory") return;
    run.files.fail_call(step.number,
                        {.code = ErrorCode::store_fsync, .message = "the disk failed"});
  });
  CHECK_THROWS_AS(committables_in(run.files, "/ckpt", run.job, run.op), ErrorException);
}

// ---- as a sink asks

/// What the subtasks of a sink heard about another run.
struct Answers {
  JobId about;
  std::mutex mutex;
  std::vector<RunFate> fates;  // guarded by mutex
};

/// Asks three times when it looks for leftovers, and drops its records.
class AskingWriter final : public SinkWriter<std::uint64_t> {
 public:
  explicit AskingWriter(Answers& answers) : answers_(answers) {}
  void open(const OperatorContext& context) override { context_ = &context; }
  bool ready() const override { return true; }
  void write(const Batch<std::uint64_t>&) override {}
  void prepare(CheckpointId, Prepared prepared) override { prepared(Committables()); }
  Result<void> commit(const Committables&) override { return {}; }
  Result<void> remove_leftovers() override {
    for (int i = 0; i < 3; ++i) {
      const RunFate fate = context_->fate_of_run(answers_.about);
      const std::lock_guard lock(answers_.mutex);
      answers_.fates.push_back(fate);
    }
    return {};
  }

 private:
  Answers& answers_;
  const OperatorContext* context_ = nullptr;
};

struct AskingSink {
  Answers* answers = nullptr;
  template <typename T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<AskingWriter>(*answers);
  }
  std::string describe() const { return "asking"; }
};

TEST_CASE("family: the fate of a run is looked at once, and all subtasks hear the same",
          "[runtime]") {
  JobWorld world;
  const CountingJob job{.count = 100, .parallelism = 4};
  const JobSpec dead = world.spec_of(job);
  REQUIRE(world.run(dead).status == JobStatus::finished);
  world.new_listener();

  Answers answers;
  answers.about = dead.id;
  std::atomic<int> looks{0};
  world.files().before_step([&](const sim::StorageStep& step) {
    if (step.what == "lock_holder" && step.path.find(to_string(dead.id)) != std::string::npos)
      ++looks;
  });
  JobSpec spec = world.spec_of(job);
  spec.family_id = dead.family_id;
  StreamExecutionEnvironment env;
  std::atomic<bool> thrown{false};
  const GeneratorSource<std::uint64_t> numbers{.make = [](std::uint64_t index) { return index; },
                                               .count = 100};
  env.from_source(numbers, {.uid = "numbers"})
      .map([&thrown](std::uint64_t number) {
        if (!thrown.exchange(true)) throw std::runtime_error("once");
        return number;
      })
      .sink_to(AskingSink{&answers}, {.uid = "rows"});
  spec.graph = make_job_graph(env.take_graph(), {.parallelism = 4});
  const JobResult& result = world.run(spec);
  CHECK(result.status == JobStatus::finished);
  CHECK(result.restarts == 1);
  CHECK(looks == 1);
  CHECK(answers.fates == std::vector<RunFate>(std::size_t{2} * 4 * 3, RunFate::dead));
}

/// The run that claims a snapshot holds the lock of the run that wrote it.
TEST_CASE("family: a run whose snapshot is claimed does not look alive", "[runtime]") {
  JobWorld world;
  const JobSpec dead = world.spec_of({.records_per_second = 500});
  const JobResult stopped = world.run(dead, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_checkpoints(1));
    master.request_stop();
  });
  REQUIRE(stopped.status == JobStatus::suspended);
  world.new_listener();

  Answers answers;
  answers.about = dead.id;
  JobSpec spec = world.resumed({}, stopped.resume_path, dead);
  spec.claims_restored = true;
  spec.allow_non_restored = true;
  StreamExecutionEnvironment env;
  const GeneratorSource<std::uint64_t> numbers{.make = [](std::uint64_t index) { return index; },
                                               .count = 100};
  env.from_source(numbers, {.uid = "other numbers"})
      .sink_to(AskingSink{&answers}, {.uid = "other rows"});
  spec.graph = make_job_graph(env.take_graph(), {.parallelism = 1});
  CHECK(world.run(spec).status == JobStatus::finished);
  CHECK(answers.fates == std::vector<RunFate>(3, RunFate::dead));
}

}  // namespace
}  // namespace streamrun
