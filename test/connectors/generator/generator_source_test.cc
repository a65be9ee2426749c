#include <streamrun/connectors/generator/generator_source.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"

namespace streamrun::test {
namespace {

using Numbers = std::vector<std::uint64_t>;
static_assert(SourceOf<GeneratorSource<std::uint64_t>, std::uint64_t>);
static_assert(SourceOf<GeneratorSource<std::string>, std::string>);

GeneratorSource<std::uint64_t> squares(std::uint64_t count, double rate = 0) {
  return {.make = [](std::uint64_t index) { return index * index; },
          .count = count,
          .records_per_second = rate};
}

Numbers expected_squares(std::uint64_t count) {
  Numbers numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (std::uint64_t& number : numbers) number *= number;
  return numbers;
}

Numbers sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

TEST_CASE("generator: every index is used once at any parallelism", "[connectors]") {
  for (const std::uint64_t count : {1, 2, 5, 1000, 10'000}) {
    for (int parallelism = 1; parallelism <= 5; ++parallelism) {
      World world(count);
      SourceRun<std::uint64_t> run(world, squares(count), parallelism);
      run.run_to_end();
      INFO(count << " records, parallelism " << parallelism);
      REQUIRE((sorted(run.lines()) == expected_squares(count)));
    }
  }
}

TEST_CASE("generator: one reader emits in order", "[connectors]") {
  World world;
  SourceRun<std::uint64_t> run(world, squares(5000), 1);
  run.run_to_end();
  CHECK((run.lines() == expected_squares(5000)));
}

TEST_CASE("generator: restores at other parallelisms lose nothing and repeat nothing",
          "[connectors]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    World world(seed);
    constexpr std::uint64_t kCount = 20'000;
    Numbers all;
    SourceState state;
    for (const int parallelism : {2, 5, 1, 3, 4}) {
      SourceRun<std::uint64_t> run(world, squares(kCount), parallelism, state);
      const std::uint64_t steps = world.random.below(30);
      for (std::uint64_t i = 0; i < steps; ++i) run.step();
      state = run.snapshot();
      all.insert(all.end(), run.lines().begin(), run.lines().end());
      world.settle();
    }
    SourceRun<std::uint64_t> last(world, squares(kCount), 2, state);
    last.run_to_end();
    all.insert(all.end(), last.lines().begin(), last.lines().end());
    INFO("seed " << seed);
    REQUIRE((sorted(all) == expected_squares(kCount)));
  }
}

TEST_CASE("generator: a restore of one that had ended emits nothing", "[connectors]") {
  World world;
  SourceRun<std::uint64_t> run(world, squares(10), 2);
  run.run_to_end();
  SourceRun<std::uint64_t> again(world, squares(10), 3, run.snapshot());
  again.run_to_end();
  CHECK(again.lines().empty());
}

TEST_CASE("generator: an endless one goes on, all its splits in turn", "[connectors]") {
  World world;
  SourceRun<std::uint64_t> run(world, squares(0), 3);
  world.settle();
  for (int i = 0; i < 3; ++i) CHECK(run.poll(i) == SourceStatus::more);
  SourceRun<std::uint64_t> one(world, squares(0), 1, run.snapshot());
  world.settle();
  for (int i = 0; i < 3; ++i) CHECK(one.poll(0) == SourceStatus::more);
  Numbers all = run.lines();
  all.insert(all.end(), one.lines().begin(), one.lines().end());
  CHECK((sorted(all) == expected_squares(all.size())));
}

TEST_CASE("generator: a rate holds over all readers, without spinning", "[connectors]") {
  World world;
  SourceRun<std::uint64_t> run(world, squares(0, 1000), 2);
  world.settle();
  int polls = 0;
  while (world.clock.time < std::chrono::seconds(3)) {
    for (int i = 0; i < 2; ++i) {
      while (run.poll(i) == SourceStatus::more) ++polls;
      ++polls;
    }
    const std::optional<Instant> first = run.reader(0).next_deadline();
    const std::optional<Instant> second = run.reader(1).next_deadline();
    REQUIRE(first);
    REQUIRE(second);
    REQUIRE(std::min(*first, *second) > world.clock.now());
    world.clock.time = std::min(*first, *second).time_since_epoch();
  }
  CHECK(run.lines().size() >= 2990);
  CHECK(run.lines().size() <= 3010);
  CHECK(polls <= 4 * 3000);
}

TEST_CASE("generator: damaged state is an error", "[connectors]") {
  World world;
  SourceRun<std::uint64_t> run(world, squares(100), 2);
  world.settle();
  const SourceState state = run.snapshot();
  const std::string split = state.splits.at(0);
  for (std::size_t length = 0; length < split.size(); ++length) {
    SourceRun<std::uint64_t> damaged(world, squares(100), 2, {"", {split.substr(0, length)}});
    REQUIRE(damaged.failure);
    CHECK(damaged.failure->code == ErrorCode::state_corrupt);
    world.mail.clear();
  }
  for (std::size_t length = 1; length < state.enumerator.size(); ++length) {
    SourceRun<std::uint64_t> damaged(world, squares(100), 2,
                                     {state.enumerator.substr(0, length), {}});
    REQUIRE(damaged.failure);
    world.mail.clear();
  }
}

}  // namespace
}  // namespace streamrun::test
