// Barriers that overtake records in a task.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "task_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// A chain of two operators behind a channel.
struct MapTask : TaskWorld {
  MapTask() {
    add_input();
    add_operator("a");
    add_operator("b");
    connect();
    REQUIRE(open());
    script.calls.clear();
  }
};

/// As if a checkpoint had saved these numbers in flight to the operator at `position`.
std::vector<OperatorSubtaskState> saved(std::size_t position,
                                        const std::vector<std::int64_t>& numbers) {
  std::string payload;
  ByteWriter out(payload);
  Batch<std::int64_t> batch;
  for (const std::int64_t number : numbers) batch.append(number);
  batch_codec_of<std::int64_t>()->write(out, batch);
  StateFileBuilder builder;
  InFlightHandle handle{.upstream = TaskWorld::upstream(),
                        .mapper = SubtaskStateMapper::round_robin,
                        .type = "int64",
                        .records = numbers.size(),
                        .data = {}};
  handle.data.inline_bytes = builder.block(0, 1, payload);
  handle.data.inline_bytes += builder.end();
  std::vector<OperatorSubtaskState> states(2);
  states[0] = state_of("a", 1);
  states[1] = state_of("b", 1);
  states[position].in_flight.push_back(std::move(handle));
  return states;
}

TEST_CASE("stream task: a barrier overtakes though the task has no room to go on", "[runtime]") {
  MapTask world;
  // 16 batches fill the channel downstream, and the next waits in the writer.
  for (std::int64_t i = 0; i < 17; ++i) {
    world.record(i);
    world.run();
  }
  world.record(50);
  world.record(51);
  CHECK(world.run() == Progress::idle);
  REQUIRE(world.task.metrics().back_pressured);
  world.overtaking_barrier(1);
  world.record(52);
  CHECK(world.run() == Progress::idle);
  CHECK(world.take_announcement() == 1);
  REQUIRE(world.acknowledged.count(1) == 1);
  CHECK(world.in_flight(1) == "50 51");
  CHECK(world.timings.at(1).unaligned);
  CHECK(world.acknowledged.at(1)[1].in_flight.empty());
  // Downstream everything keeps its order, and the barrier stands where the snapshot was taken.
  std::string all = world.take_all();
  world.run();
  all += " " + world.take_all();
  std::string expected;
  for (int i = 0; i < 17; ++i) expected += std::to_string(200 + i) + " ";
  CHECK(all == expected + "1101 1001 |1 250 251 252");
}

TEST_CASE("stream task: a barrier overtakes though an operator can take nothing", "[runtime]") {
  MapTask world;
  world.script.ready = false;
  world.record(1);
  world.overtaking_barrier(1);
  CHECK(world.run() == Progress::idle);
  REQUIRE(world.acknowledged.count(1) == 1);
  CHECK(world.in_flight(1) == "1");
  world.script.ready = true;
  world.run();
  CHECK(world.take_all() == "1101 1001 |1 201");
}

TEST_CASE("stream task: a barrier waits for its time, and the task asks to be run then",
          "[runtime]") {
  MapTask world;
  world.script.ready = false;
  world.record(1);
  world.overtaking_barrier(1, 5s);
  CHECK(world.run() == Progress::idle);
  CHECK(world.acknowledged.empty());
  REQUIRE(world.task.next_deadline());
  CHECK(*world.task.next_deadline() == Instant(5s));
  world.world.clock.time = 5s;
  world.run();
  CHECK(world.in_flight(1) == "1");
  CHECK_FALSE(world.task.next_deadline());
}

TEST_CASE("stream task: one that comes in time is an aligned checkpoint", "[runtime]") {
  MapTask world;
  world.record(1);
  world.overtaking_barrier(1, 5s);
  world.run();
  REQUIRE(world.acknowledged.count(1) == 1);
  CHECK_FALSE(world.timings.at(1).unaligned);
  CHECK(world.in_flight(1).empty());
  CHECK(world.take_all() == "201 1101 1001 |1");
  CHECK(world.take_announcement() == 1);  // who is behind it may be slower
}

TEST_CASE("stream task: is run again when an operator will be ready", "[runtime]") {
  MapTask world;
  world.script.ready_at = Instant(3s);
  CHECK_FALSE(world.task.next_deadline());
  world.script.ready = false;
  REQUIRE(world.task.next_deadline());
  CHECK(*world.task.next_deadline() == Instant(3s));
}

TEST_CASE("stream task: restored records come first, those of the last operator before all",
          "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.add_operator("b");
  world.add_edge(1);
  world.connect();
  std::vector<OperatorSubtaskState> states = saved(0, {7, 8});
  states[1] = saved(1, {9})[1];
  REQUIRE(world.task.open(states));
  world.record(1);
  world.barrier(1);
  world.run();
  CHECK(world.take_all() == "109 207 208 201 1101 1001 |1");
  CHECK(world.in_flight(1).empty());
  CHECK(world.in_flight(1, 1).empty());
}

TEST_CASE("stream task: restored records that are still there are saved again, before newer ones",
          "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.add_operator("b");
  world.add_edge(1);
  world.connect();
  std::vector<OperatorSubtaskState> states = saved(0, {7, 8});
  states[1] = saved(1, {9})[1];
  REQUIRE(world.task.open(states));
  world.script.ready = false;
  world.record(1);
  world.overtaking_barrier(2);
  world.run();
  REQUIRE(world.acknowledged.count(2) == 1);
  CHECK(world.in_flight(2) == "7 8 1");
  CHECK(world.in_flight(2, 1) == "9");
}

TEST_CASE("stream task: a source's barrier waits for restored records, or overtakes them",
          "[runtime]") {
  TaskWorld world;
  world.add_source();
  world.add_operator("a");
  world.add_edge(1);
  world.connect();
  REQUIRE(world.task.open(saved(1, {9})));
  world.script.ready = false;
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(1)); });
  world.run();
  CHECK(world.acknowledged.empty());
  SECTION("until they are processed") {
    world.script.ready = true;
    world.run();
    REQUIRE(world.acknowledged.count(1) == 1);
    CHECK(world.in_flight(1, 1).empty());
    CHECK(world.take_all() == "109 1001 |1");
  }
  SECTION("until it is aborted") {
    world.task.post([&] {
      world.task.abort_checkpoint(1);
      world.task.trigger_checkpoint(TaskWorld::overtaking_barrier_of(2, 5s));
    });
    world.run();
    CHECK(world.acknowledged.empty());
    CHECK(*world.task.next_deadline() == Instant(5s));
    world.world.clock.time = 5s;
    world.run();
    REQUIRE(world.acknowledged.count(2) == 1);
    CHECK(world.in_flight(2, 1) == "9");
    CHECK(world.timings.at(2).unaligned);
  }
}

TEST_CASE("stream task: splits that come behind a barrier stay behind it while it waits",
          "[runtime]") {
  TaskWorld world;
  world.add_source();
  world.add_operator("a");
  world.add_edge(1);
  world.connect();
  REQUIRE(world.task.open(saved(1, {9})));
  world.script.ready = false;
  const auto has = [&](const std::string& line) {
    return std::any_of(world.script.calls.begin(), world.script.calls.end(),
                       [&](const auto& each) { return each.find(line) != std::string::npos; });
  };
  world.task.post([&] { world.task.add_split("before"); });
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(1)); });
  world.task.post([&] { world.task.add_split("behind"); });
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(2)); });
  world.task.post([&] { world.task.add_split("last"); });
  world.run();
  CHECK(has("split before"));
  CHECK_FALSE(has("split behind"));
  SECTION("until its snapshot was taken") {
    world.script.ready = true;
    world.run();
    CHECK(has("split behind"));
    CHECK(has("split last"));
  }
  SECTION("or it is aborted, the first") {
    world.task.abort_checkpoint(1);
    CHECK(has("split behind"));
    CHECK_FALSE(has("split last"));
    world.task.abort_checkpoint(2);
    CHECK(has("split last"));
  }
  SECTION("or the second, whose splits wait for the first") {
    world.task.abort_checkpoint(2);
    CHECK_FALSE(has("split behind"));
    CHECK_FALSE(has("split last"));
    world.task.abort_checkpoint(1);
    CHECK(has("split behind"));
    CHECK(has("split last"));
  }
}

TEST_CASE("stream task: one that is aborted while it overtakes is given up, and the records go on",
          "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.connect();
  REQUIRE(world.open());
  world.script.ready = false;
  for (std::int64_t i = 0; i < 30; ++i) world.record(i);  // the barrier is in the writer
  world.overtaking_barrier(1);
  CHECK(world.task.run() == Progress::idle);
  CHECK(world.acknowledged.empty());
  world.task.abort_checkpoint(1);
  REQUIRE(world.declined[1].size() == 1);
  CHECK(world.declined[1][0].code == ErrorCode::cancelled);
  CHECK_FALSE(world.task.dump().find("snapshot 1") != std::string::npos);
  world.script.ready = true;
  world.run();
  CHECK(world.task.metrics().records_in == 30);
  CHECK(world.failures.empty());
}

TEST_CASE("stream task: damaged records in flight are named", "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.add_operator("b");
  world.connect();
  std::vector<OperatorSubtaskState> states = saved(0, {7, 8});
  states[0].in_flight[0].data.inline_bytes[30] ^= 1;
  const Result<void> opened = world.task.open(states);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::state_corrupt);
}

}  // namespace
}  // namespace streamrun
