// Whole jobs in event time.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "collecting_sink.h"
#include "job_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kEach = 3000;  ///< records of one input
constexpr std::int64_t kKeys = 97;

/// When event time comes to a record: how many of its key had come by then that are not later.
struct CountEarlier {
  ListState<std::int64_t> seen{"seen"};

  void process(std::int64_t number, KeyedContext<std::int64_t>& context, Output<std::string>&) {
    seen.add(number);
    context.timer_service().register_event_time_timer(number);
  }
  void on_timer(Timestamp time, OnTimerContext<std::int64_t>& context,
                Output<std::string>& output) {
    std::int64_t earlier = 0;
    for (const std::int64_t number : seen.get()) earlier += number <= time ? 1 : 0;
    output.emit(std::to_string(context.key()) + "@" + std::to_string(time) + "=" +
                std::to_string(earlier));
  }
};

std::vector<std::string> expected_rows() {
  std::vector<std::string> rows;
  for (std::int64_t number = 0; number < 2 * kEach; ++number) {
    rows.push_back(std::to_string(number % kKeys) + "@" + std::to_string(number) + "=" +
                   std::to_string(number / kKeys + 1));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Even numbers as fast as they go, odd ones slowly; each is its own timestamp.
JobGraph graph_of(Outside& outside, int parallelism,
                  const std::function<void(std::int64_t)>& watch = {}) {
  StreamExecutionEnvironment env;
  const auto numbers = [&](const char* uid, std::int64_t first, double rate) {
    const GeneratorSource<std::int64_t> source{
        .make =
            [first, watch](std::uint64_t index) {
              const std::int64_t number = 2 * static_cast<std::int64_t>(index) + first;
              if (watch) watch(number);
              return number;
            },
        .count = static_cast<std::uint64_t>(kEach),
        .records_per_second = rate};
    return env.from_source(source, {.uid = uid})
        .assign_timestamps_and_watermarks(
            WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(
                std::identity{}));
  };
  numbers("even", 0, 0)
      .union_with(numbers("odd", 1, 30'000))
      .key_by([](std::int64_t number) { return number % kKeys; })
      .process(CountEarlier(), {.uid = "earlier"})
      .sink_to(CollectingSink{.outside = &outside}, {.uid = "rows"});
  return make_job_graph(env.take_graph(), {.parallelism = parallelism});
}

JobSpec spec_of(JobWorld& world, JobGraph graph, int parallelism) {
  JobSpec spec = world.spec_of({.parallelism = parallelism});
  spec.graph = std::move(graph);
  spec.watermark_interval = 1ms;
  return spec;
}

TEST_CASE("job master: event time waits for the slower of two inputs, at any parallelism",
          "[runtime]") {
  const int parallelism = GENERATE(1, 2, 3);
  JobWorld world;
  const JobResult& result =
      world.run(spec_of(world, graph_of(world.outside, parallelism), parallelism));
  REQUIRE(result.status == JobStatus::finished);
  CHECK(world.outside.records() == expected_rows());
}

TEST_CASE("job master: timers fire once over failures", "[runtime]") {
  JobWorld world;
  std::atomic<int> failures{0};
  const auto watch = [&](std::int64_t number) {
    if (number % 2 == 1 && number > 1500 * (failures + 1) && failures < 3) {
      ++failures;
      throw std::runtime_error("no more of these");
    }
  };
  JobSpec spec = spec_of(world, graph_of(world.outside, 2, watch), 2);
  spec.restart = {.type = RestartOptions::Type::fixed_delay, .attempts = 10, .delay = 1ms};
  spec.incremental = true;
  const JobResult& result = world.run(std::move(spec));
  INFO((result.error ? result.error->headline() : ""));
  REQUIRE(result.status == JobStatus::finished);
  CHECK(world.listener->restarts().size() >= 1);
  CHECK(world.outside.records() == expected_rows());
}

}  // namespace
}  // namespace streamrun
