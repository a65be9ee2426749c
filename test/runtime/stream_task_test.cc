#include <streamrun/runtime/stream_task.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "task_world.h"

namespace streamrun {
namespace {

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
/// A source with one operator chained to it.
struct SourceTask : TaskWorld {
  SourceTask() : source(add_source()) {
    add_operator("a");
    connect();
    REQUIRE(open());
    script.calls.clear();
  }
  FakeSource& source;
};

TEST_CASE(
    "stream task: records go through its chain and out, part-filled batches when input runs out",
    "[runtime]") {
  MapTask world;
  CHECK(world.run() == Progress::idle);
  world.record(1);
  world.record(2);
  CHECK(world.run() == Progress::idle);
  CHECK(world.take_all() == "201 202");
  CHECK(world.task.metrics().records_in == 2);
  CHECK(world.task.metrics().records_out == 2);
}

TEST_CASE("stream task: an exchange between single subtasks is part of the chain", "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.add_operator_behind_exchange("b");
  world.connect();
  REQUIRE(world.open());
  world.script.calls.clear();
  for (std::int64_t number = 1; number <= 3; ++number) world.record(number);
  world.barrier(1);
  world.record(4);
  world.end();
  world.run();
  // Both operators emit one more record before the barrier: 1001, which the second makes 1101 of.
  CHECK(world.take_all() == "201 202 203 1101 1001 |1 204 end");
  std::vector<std::uint32_t> expected;
  for (const std::int64_t key : {101, 102, 103, 1001, 104}) {
    expected.push_back(key_hash_of<std::int64_t>(key));
  }
  CHECK(world.script.key_hashes == expected);
  REQUIRE(world.acknowledged.count(1) == 1);
}

TEST_CASE("stream task: opens its last operator first, from the state of each", "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.add_operator("b");
  world.connect();
  REQUIRE(world.task.open({state_of("a", 7), {}}));
  REQUIRE(world.task.commit_recovered());
  REQUIRE(world.task.remove_leftovers());
  CHECK(join_calls(world.script) ==
        "b: open, a: open from 7, a: commit recovered, b: commit recovered, a: remove leftovers, "
        "b: remove leftovers");
}

TEST_CASE("stream task: an error of opening is a value and names the task", "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.connect();
  world.script.throw_on_open = Error{.code = ErrorCode::path, .message = "nothing there"};
  const Result<void> opened = world.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::path);
  CHECK(opened.error().where == "task map (1/1)");
}

TEST_CASE("stream task: mail goes before records", "[runtime]") {
  MapTask world;
  world.record(1);
  world.task.post([&] { world.script.calls.emplace_back("mail"); });
  world.run();
  CHECK(join_calls(world.script) == "mail, a: 1, b: 101");
}

TEST_CASE("stream task: without room behind it, it stops, and goes on when there is some",
          "[runtime]") {
  SourceTask world;
  for (std::int64_t i = 0; i < 200'000; ++i) world.source.numbers.push_back(i);
  CHECK(world.run() == Progress::idle);
  CHECK(world.task.metrics().back_pressured);
  const std::size_t left = world.source.numbers.size();
  CHECK(left > 100'000);
  CHECK(world.run() == Progress::idle);
  CHECK(world.source.numbers.size() == left);
  const int wakes = world.executor.wakes;
  while (!world.take().empty()) {
  }
  CHECK(world.executor.wakes == wakes + 1);
  world.run();
  CHECK(world.source.numbers.size() < left);
}

TEST_CASE(
    "stream task: what an idle task flushes into a full channel is sent when there is room again",
    "[runtime]") {
  // One batch for each turn that ends idle: the last of them finds the channel full.
  for (std::size_t batches = Channel::kCapacity; batches <= Channel::kCapacity + 1; ++batches) {
    INFO(batches << " batches");
    SourceTask world;
    for (std::size_t i = 0; i < batches; ++i) {
      world.source.numbers.push_back(static_cast<std::int64_t>(i));
      CHECK(world.run() == Progress::idle);
      REQUIRE(world.source.numbers.empty());
    }
    const int wakes = world.executor.wakes;
    const std::string before = world.take_all();
    CHECK(before.ends_with("115"));
    const bool held_back = batches > Channel::kCapacity;
    CHECK(world.executor.wakes == wakes + (held_back ? 1 : 0));
    world.run();
    CHECK(world.take_all() == (held_back ? "116" : ""));
  }
}

TEST_CASE("stream task: an operator that is not ready gets no batch", "[runtime]") {
  MapTask world;
  world.script.ready = false;
  world.record(1);
  CHECK(world.run() == Progress::idle);
  CHECK(world.script.calls.empty());
  world.script.ready = true;
  world.run();
  CHECK(world.take_all() == "201");
}

TEST_CASE("stream task: a turn is bounded", "[runtime]") {
  SourceTask world;
  for (std::int64_t i = 0; i < 1000; ++i) world.source.numbers.push_back(i);
  CHECK(world.task.run() == Progress::progress);
  CHECK(world.source.numbers.size() > 900);
}

TEST_CASE("stream task: a busy task sends part-filled batches after the buffer timeout",
          "[runtime]") {
  SourceTask world;
  for (std::int64_t i = 0; i < 1000; ++i) world.source.numbers.push_back(i);
  world.task.run();
  CHECK(world.take().empty());
  world.world.clock.time += std::chrono::milliseconds(101);
  world.task.run();
  CHECK_FALSE(world.take().empty());
}

// ---- snapshots

TEST_CASE(
    "stream task: a barrier leaves behind the records before it, and the states are acknowledged "
    "in order",
    "[runtime]") {
  MapTask world;
  world.record(1);
  world.barrier(7);
  world.record(2);
  world.run();
  // `prepare_snapshot` of the first operator still emits a record, which the second takes before
  // its own.
  CHECK(world.take_all() == "201 1107 1007 |7 202");
  CHECK(join_calls(world.script) ==
        "a: 1, a: prepare 7, b: 101, b: 1007, b: prepare 7, a: snapshot 7, b: snapshot 7, a: 2, b: "
        "102");
  REQUIRE(world.acknowledged.contains(7));
  CHECK(world.acknowledged[7] ==
        std::vector<OperatorSubtaskState>{state_of("a", 7), state_of("b", 7)});
}

TEST_CASE("stream task: a source puts its barrier between two records", "[runtime]") {
  SourceTask world;
  world.source.numbers = {1, 2};
  world.task.run();
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(3)); });
  world.source.numbers = {5};
  world.run();
  CHECK(world.take_all() == "101 102 1003 |3 105");
  CHECK(world.acknowledged.contains(3));
}

TEST_CASE("stream task: tells where the time of a snapshot went", "[runtime]") {
  using std::chrono::milliseconds;
  SourceTask world;
  world.script.hold_snapshots = true;
  world.world.clock.time = milliseconds(100);
  CheckpointBarrier barrier = TaskWorld::barrier_of(3);
  barrier.triggered = Instant(milliseconds(70));
  world.task.post([&] { world.task.trigger_checkpoint(barrier); });
  world.run();
  world.world.clock.time = milliseconds(150);
  for (const auto& part : world.script.held) part->done({});
  REQUIRE(world.timings.contains(3));
  CHECK(world.timings[3].start_delay == milliseconds(30));
  CHECK(world.timings[3].alignment == milliseconds(0));
  CHECK(world.timings[3].sync == milliseconds(0));
  CHECK(world.timings[3].async == milliseconds(50));
}

TEST_CASE("stream task: snapshots that take their time are acknowledged when all parts are there",
          "[runtime]") {
  MapTask world;
  world.script.hold_snapshots = true;
  world.barrier(1);
  world.barrier(2);
  world.run();
  REQUIRE(world.script.held.size() == 4);
  CHECK(world.acknowledged.empty());
  CHECK(world.task.dump().find("snapshot 1 lacks 2 parts") != std::string::npos);
  world.script.held[3]->done(state_of("b", 2));
  world.script.held[0]->done(state_of("a", 1));
  CHECK(world.acknowledged.empty());
  world.script.held[2]->done(state_of("a", 2));
  CHECK(world.acknowledged.contains(2));
  world.script.held[1]->done(state_of("b", 1));
  CHECK(world.acknowledged[1] ==
        std::vector<OperatorSubtaskState>{state_of("a", 1), state_of("b", 1)});
}

TEST_CASE("stream task: a snapshot with a part that fails is declined, once (D5)", "[runtime]") {
  MapTask world;
  world.script.hold_snapshots = true;
  world.barrier(1);
  world.run();
  world.script.held[0]->failed({.code = ErrorCode::store_full, .message = "full"});
  CHECK(world.declined[1].size() == 1);
  world.script.held[1]->failed({.code = ErrorCode::store_io, .message = "broken"});
  REQUIRE(world.declined[1].size() == 1);
  CHECK(world.declined[1][0].code == ErrorCode::store_full);
  CHECK(world.acknowledged.count(1) == 1);  // too late, so that what was written is removed
  world.script.hold_snapshots = false;
  world.barrier(2);
  world.run();
  CHECK(world.acknowledged.contains(2));
}

TEST_CASE("stream task: goes on with a snapshot between batches, and under back pressure too",
          "[runtime]") {
  SourceTask world;
  world.script.hold_snapshots = true;
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(1)); });
  for (std::int64_t i = 0; i < 200'000; ++i) world.source.numbers.push_back(i);
  world.run();
  REQUIRE(world.task.metrics().back_pressured);
  world.script.advances_left = 10;
  CHECK(world.run() == Progress::idle);
  CHECK(world.script.advances_left == 0);
}

TEST_CASE("stream task: hears of completion and abortion, and answers when all operators have",
          "[runtime]") {
  MapTask world;
  world.script.hold_completions = true;
  world.task.post([&] { world.task.notify_complete(4); });
  world.task.post([&] { world.task.abort_checkpoint(5); });
  world.run();
  CHECK(join_calls(world.script) == "a: complete 4, b: complete 4, a: aborted 5, b: aborted 5");
  REQUIRE(world.script.completions.size() == 2);
  world.script.completions[1]();
  CHECK(world.effects.empty());
  world.script.completions[0]();
  CHECK(world.effects == std::vector<CheckpointId>{4});
}

// ---- the end

TEST_CASE("stream task: finishes its operators in steps, then passes the end on", "[runtime]") {
  MapTask world;
  world.script.finish_steps = 4;  // shared: three steps and a last one for a, one for b
  world.record(1);
  world.end();
  CHECK(world.run() == Progress::idle);
  CHECK(join_calls(world.script) ==
        "a: 1, a: finish, a: finish, a: finish, a: finish, b: 101, b: finish");
  CHECK(world.take_all() == "201 end");
  CHECK(world.ends_of_data == 1);
}

TEST_CASE("stream task: a barrier between two steps of finish stands between what they emit",
          "[runtime]") {
  SourceTask world;
  world.script.finish_steps = 100;
  world.source.ended = true;
  world.task.run();
  CHECK(world.ends_of_data == 0);
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(1)); });
  world.run();
  CHECK(world.take_all() == "1001 |1 end");
  CHECK(world.acknowledged.contains(1));
}

TEST_CASE("stream task: still takes part in checkpoints after its end", "[runtime]") {
  MapTask world;
  world.end();
  world.run();
  CHECK(world.take_all() == "end");
  world.barrier(9);
  world.run();
  CHECK(world.acknowledged.contains(9));
  CHECK(world.take_all().ends_with("|9"));
}

TEST_CASE(
    "stream task: a source that is suspended emits nothing more, and its barrier still passes",
    "[runtime]") {
  SourceTask world;
  world.source.numbers = {1, 2, 3};
  world.task.post([&] { world.task.stop_source(); });
  world.task.post([&] { world.task.trigger_checkpoint(TaskWorld::barrier_of(1)); });
  CHECK(world.run() == Progress::idle);
  CHECK(world.source.numbers.size() == 3);
  CHECK(world.take_all() == "1001 |1");
  CHECK(world.task.next_deadline() == std::nullopt);
}

TEST_CASE("stream task: a source is started first, and then heard about its deadline",
          "[runtime]") {
  SourceTask world;
  world.task.post([&] { world.task.add_split("x"); });
  world.run();
  CHECK(join_calls(world.script) == "source: start, source: split x");
  CHECK(world.task.next_deadline() == Instant(Duration(77)));
  world.task.post([&] { world.task.no_more_splits(); });
  world.run();
  CHECK(world.ends_of_data == 1);
  CHECK(world.task.next_deadline() == std::nullopt);
}

TEST_CASE("stream task: what a function throws fails it, once, with its name", "[runtime]") {
  MapTask world;
  world.script.throw_on_record = true;
  world.record(1);
  world.record(2);
  CHECK(world.run() == Progress::finished);
  CHECK(world.run() == Progress::finished);
  REQUIRE(world.failures.size() == 1);
  CHECK(world.failures[0].code == ErrorCode::job_failed);
  CHECK(world.failures[0].message == "a function threw: no such number");
  CHECK(world.failures[0].where == "task map (1/1)");
  CHECK(world.failures[0].retry == Retry::yes);
  CHECK(world.task.dump().find("failed") != std::string::npos);
}

TEST_CASE("stream task: what is thrown from mail fails it, whatever it is", "[runtime]") {
  MapTask world;
  world.task.post([] { throw 5; });
  CHECK(world.run() == Progress::finished);
  REQUIRE(world.failures.size() == 1);
  CHECK(world.failures[0].code == ErrorCode::job_failed);
}

TEST_CASE("stream task: its counters tell how far it is with a snapshot", "[runtime]") {
  TaskMetrics metrics;
  CHECK(snapshot_phase(metrics, 1) == "which the barrier has not reached");
  metrics.barrier_came = 3;
  CHECK(snapshot_phase(metrics, 2) == "in its alignment");
  CHECK(snapshot_phase(metrics, 4) == "which the barrier has not reached");
  metrics.snapshot_began = 3;
  CHECK(snapshot_phase(metrics, 3) == "in the synchronous part of its snapshot");
  metrics.barrier_came = 4;
  metrics.sync_part_over = 3;
  CHECK(snapshot_phase(metrics, 3) == "in the asynchronous part of its snapshot");
  CHECK(snapshot_phase(metrics, 4) == "in its alignment");
}

}  // namespace
}  // namespace streamrun
