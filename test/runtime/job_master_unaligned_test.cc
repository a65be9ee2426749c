// Whole jobs whose checkpoints overtake records.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "answer.h"
#include "collecting_sink.h"
#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// Takes nothing while it is held.
class HeldWriter final : public SinkWriter<std::string> {
 public:
  HeldWriter(Outside& outside, const std::atomic<bool>& held) : writer_(outside), held_(held) {}
  void open(const OperatorContext& context) override {
    clock_ = &context.environment.clock;
    writer_.open(context);
  }
  bool ready() const override { return !held_; }
  std::optional<Instant> ready_at() const override { return clock_->now() + 1ms; }
  void write(const Batch<std::string>& batch) override { writer_.write(batch); }
  void prepare(CheckpointId id, Prepared prepared) override {
    writer_.prepare(id, std::move(prepared));
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return writer_.commit(committables);
  }

 private:
  CollectingWriter writer_;
  const std::atomic<bool>& held_;
  const Clock* clock_ = nullptr;
};

struct HeldSink {
  Outside* outside = nullptr;
  const std::atomic<bool>* held = nullptr;
  template <typename T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<HeldWriter>(*outside, *held);
  }
  std::string describe() const { return "outside"; }
};

/// A counting job whose sink can be held.
struct HeldJob {
  CountingJob counting{.count = 100'000};
  std::atomic<bool> held{true};
  std::atomic<std::uint64_t> made{0};

  JobGraph graph(Outside& outside, int parallelism) {
    StreamExecutionEnvironment env;
    const GeneratorSource<std::uint64_t> numbers{.make =
                                                     [this](std::uint64_t index) {
                                                       ++made;
                                                       return index % counting.keys;
                                                     },
                                                 .count = counting.count};
    env.from_source(numbers, {.uid = "numbers"})
        .key_by(std::identity{})
        .aggregate(counting_of(), row_of, {.uid = "counts"})
        .sink_to(HeldSink{.outside = &outside, .held = &held}, {.uid = "rows"});
    return make_job_graph(env.take_graph(), {.parallelism = parallelism});
  }
  static Counting counting_of() { return streamrun::counting(); }
  static std::string row_of(std::uint64_t key, std::int64_t times) {
    return std::to_string(key) + "=" + std::to_string(times);
  }
};

TEST_CASE(
    "job master: a checkpoint completes while a sink takes nothing, and holds what waits for it",
    "[runtime]") {
  const int parallelism = GENERATE(1, 2, 4);
  JobWorld world;
  HeldJob job;
  JobSpec spec = world.spec_of(job.counting, std::nullopt);
  spec.graph = job.graph(world.outside, 2);
  spec.overtake_after = Duration(0);
  spec.checkpoints.savepoints_overlap = false;
  TestAnswer<CheckpointSummary> first;
  TestAnswer<CheckpointSummary> second;
  world.run(spec, [&](JobMaster& master) {
    CHECK(world.listener->wait_for_running());
    while (job.made < 30'000) std::this_thread::sleep_for(1ms);
    for (TestAnswer<CheckpointSummary>* answer : {&first, &second}) {
      master.take_checkpoint(false, answer->take());
      CHECK(answer->wait());
    }
    master.cancel(TestAnswer<void>().take());
  });
  REQUIRE(first.result());
  REQUIRE(second.result());
  CHECK(first.result()->in_flight_bytes > 0);
  // What the first one pulled and nobody has read is in the second too.
  CHECK(second.result()->in_flight_bytes >= first.result()->in_flight_bytes);
  const CheckpointMetadata metadata =
      read_snapshot(world.files(), second.result()->path).value().metadata;
  std::uint64_t records = 0;
  for (const OperatorSubtaskState& subtask : metadata.operators[1].subtasks) {
    for (const InFlightHandle& handle : subtask.in_flight) {
      CHECK(handle.upstream == operator_id_of("numbers"));
      CHECK(handle.mapper == SubtaskStateMapper::range);
      CHECK(handle.type == "uint64");
      CHECK(handle.data.file);
      records += handle.records;
    }
  }
  CHECK(records >= 30'000);
  CHECK(world.outside.records().empty());

  job.held = false;
  world.new_listener();
  JobSpec resumed = world.resumed(job.counting, second.result()->path, spec);
  resumed.graph = job.graph(world.outside, parallelism);
  resumed.parallelism = parallelism;
  resumed.workers = parallelism;
  resumed.control_worker = parallelism;
  resumed.overtake_after = Duration(0);
  resumed.checkpoints.savepoints_overlap = false;
  const JobResult& result = world.run(resumed);
  CHECK(result.status == JobStatus::finished);
  CHECK(world.outside.records() == job.counting.expected());
}

}  // namespace
}  // namespace streamrun
