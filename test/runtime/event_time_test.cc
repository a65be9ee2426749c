// Watermarks through gates and tasks, and timers that a task wakes for.
#include <streamrun/runtime/stream_task.h>

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "gate_world.h"
#include "task_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

constexpr bool kExactlyOnce = true;

TEST_CASE("input gate: the least watermark of all channels holds", "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.record(0, 1).watermark(0, 10).record(0, 2);
  CHECK(world.drain() == "1 2");
  world.record(1, 20).watermark(1, 7).record(1, 21);
  CHECK(world.drain() == "20 @7 21");
  world.watermark(1, 15);
  CHECK(world.drain() == "@10");
}

TEST_CASE("input gate: an idle channel holds no watermark back, nor does one that has ended",
          "[runtime]") {
  GateWorld world(3, kExactlyOnce);
  world.watermark(0, 10).watermark(1, 20);
  CHECK(world.drain().empty());
  world.idle(2);
  CHECK(world.drain() == "@10");
  world.end(0);
  CHECK(world.drain() == "@20");
  world.idle(1);
  CHECK(world.drain() == "idle");
  world.idle(2, false).watermark(2, 30);
  CHECK(world.drain() == "active @30");
  world.end(1).end(2);
  CHECK(world.drain() == "end");
}

TEST_CASE("input gate: channels that ended before the first watermark are not waited for",
          "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.end(0);
  CHECK(world.drain().empty());
  world.watermark(1, 5);
  CHECK(world.drain() == "@5");
}

TEST_CASE("input gate: when all are idle their greatest watermark comes before that", "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.watermark(0, 10).watermark(1, 5);
  CHECK(world.drain() == "@5");
  world.idle(0);
  CHECK(world.drain().empty());
  world.idle(1);
  CHECK(world.drain() == "@10 idle");
}

TEST_CASE("input gate: watermarks behind a barrier wait with it", "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.watermark(1, 9).barrier(0, 1).watermark(0, 10);
  CHECK(world.drain().empty());
  world.watermark(1, 11).barrier(1, 1);
  CHECK(world.drain() == "|1 @10");
}

TEST_CASE("input gate: what a barrier overtakes keeps its watermarks in order", "[runtime]") {
  test::StillClock clock;
  GateWorld world(1, kExactlyOnce, &clock);
  world.record(0, 1).watermark(0, 5).record(0, 2).announced(0, 1, Instant()).record(0, 3);
  REQUIRE(world.gate.due_to_overtake());
  std::string recorded;
  world.gate.overtake({.record =
                           [&](std::size_t, const AnyBatch& batch) {
                             recorded +=
                                 std::to_string(static_cast<const Batch<std::int64_t>&>(batch)[0]);
                           },
                       .end = [&](OvertakingEnd) { recorded += " end"; }});
  while (world.gate.pull()) {
  }
  CHECK(recorded == "12 end");
  CHECK(world.drain() == "1 @5 2 3");
}

// ---- tasks

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

/// What an operator with timers does, step by step.
struct TimerScript {
  std::vector<std::string> calls;
  int steps = 1;  ///< that a watermark takes
  std::optional<Instant> due = {};
  const Clock* clock = nullptr;
};

/// Emits a number for each step of a watermark, and one when its timer is due.
class TimerOperator final : public FakeOperator {
 public:
  TimerOperator(Script& script, TimerScript& timers)
      : FakeOperator("timers", script), timers_(timers) {}
  bool process_watermark(Timestamp watermark) override {
    if (watermark <= last_) return true;
    if (left_ == 0) left_ = timers_.steps;
    output_.emit(watermark == kMaxTimestamp ? -1 : watermark * 10);
    if (--left_ > 0) return false;
    last_ = watermark;
    return true;
  }
  bool has_timers() const override { return true; }
  bool fire_due_timers() override {
    if (!timers_.due || timers_.clock->now() < *timers_.due) return false;
    timers_.due.reset();
    output_.emit(std::int64_t{77});
    return true;
  }
  std::optional<Instant> next_timer_at() const override { return timers_.due; }
  void prepare_snapshot(CheckpointId) override {}

 private:
  TimerScript& timers_;
  Timestamp last_ = kMinTimestamp;
  int left_ = 0;
};

struct TimerTask : TaskWorld {
  explicit TimerTask(int steps = 1) {
    timers.steps = steps;
    timers.clock = &world.clock;
    add_input();
    task.add_operator(std::make_unique<TimerOperator>(script, timers), world.context());
    count_operator();
    connect();
    REQUIRE(open());
    script.calls.clear();
  }
  TimerScript timers;
};

/// Makes the watermarks that the test puts into it.
class EmitterOperator final : public FakeOperator, public WatermarkEmitter {
 public:
  explicit EmitterOperator(Script& script) : FakeOperator("emitter", script) {}
  std::optional<WatermarkEvent> next_watermark(Instant now) override {
    if (next.empty() || now < at) return std::nullopt;
    const WatermarkEvent event = next.front();
    next.pop_front();
    return event;
  }
  std::optional<Instant> next_watermark_at() const override {
    return next.empty() ? std::nullopt : std::optional(at);
  }
  void pause_idleness() override { ++pauses; }
  void prepare_snapshot(CheckpointId) override {}

  std::deque<WatermarkEvent> next;
  Instant at{};
  int pauses = 0;
};

struct EmitterTask : TaskWorld {
  EmitterTask() {
    add_input();
    auto made = std::make_unique<EmitterOperator>(script);
    emitter = made.get();
    task.add_operator(std::move(made), world.context());
    count_operator();
    add_operator("b");
    connect();
    REQUIRE(open());
    script.calls.clear();
  }
  EmitterOperator* emitter = nullptr;
};

TEST_CASE("stream task: a watermark goes down the chain behind the records before it",
          "[runtime]") {
  MapTask world;
  world.record(1);
  world.watermark(5);
  world.idle();
  world.record(2);
  world.idle(false);
  world.run();
  CHECK(world.take_all() == "201 @5 idle 202 active");
}

TEST_CASE("stream task: a watermark goes through an exchange between single subtasks",
          "[runtime]") {
  TaskWorld world;
  world.add_input();
  world.add_operator("a");
  world.add_operator_behind_exchange("b");
  world.connect();
  REQUIRE(world.open());
  world.record(1);
  world.watermark(5);
  world.record(2);
  world.run();
  CHECK(world.take_all() == "201 @5 202");
}

TEST_CASE("stream task: a watermark and a barrier keep their order", "[runtime]") {
  TimerTask world;
  world.watermark(5);
  world.barrier(1);
  world.watermark(6);
  world.run();
  CHECK(world.take_all() == "50 @5 |1 60 @6");
}

TEST_CASE("stream task: a watermark that takes many steps holds back records, not mail",
          "[runtime]") {
  TimerTask world(40);
  world.watermark(5);
  world.record(1);
  // A turn is a bounded number of steps.
  CHECK(world.task.run() == Progress::progress);
  CHECK(world.script.calls.empty());
  CHECK(world.take_all().empty());
  bool read = false;
  world.task.post([&] { read = true; });
  CHECK(world.task.run() == Progress::progress);
  CHECK(read);
  world.run();
  std::string fired;
  for (int i = 0; i < 40; ++i) fired += "50 ";
  CHECK(world.take_all() == fired.substr(0, fired.size() - 1) + " @5 101");
}

TEST_CASE("stream task: the end of the input is the end of event time", "[runtime]") {
  TimerTask world(2);
  world.watermark(5);
  world.end();
  world.run();
  CHECK(world.take_all() == "50 50 @5 -1 -1 end");
}

TEST_CASE("stream task: wakes for timers of the clock", "[runtime]") {
  TimerTask world;
  CHECK(world.run() == Progress::idle);
  CHECK_FALSE(world.task.next_deadline());
  world.timers.due = Instant(100ms);
  CHECK(world.run() == Progress::idle);
  CHECK(world.task.next_deadline() == Instant(100ms));
  world.world.clock.time = 100ms;
  CHECK(world.run() == Progress::idle);
  CHECK(world.take_all() == "77");
  CHECK_FALSE(world.task.next_deadline());
}

TEST_CASE("stream task: timers of the clock end with the input", "[runtime]") {
  TimerTask world;
  world.timers.due = Instant(100ms);
  world.end();
  world.run();
  world.world.clock.time = 200ms;
  CHECK(world.run() == Progress::idle);
  CHECK(world.take_all() == "-1 end");
  CHECK_FALSE(world.task.next_deadline());
}

TEST_CASE("stream task: timers of the clock wait for an operator that is not ready", "[runtime]") {
  TimerTask world;
  world.timers.due = Instant(100ms);
  world.world.clock.time = 200ms;
  world.script.ready = false;
  CHECK(world.run() == Progress::idle);
  CHECK_FALSE(world.task.next_deadline());
  world.script.ready = true;
  world.run();
  CHECK(world.take_all() == "77");
}

TEST_CASE("stream task: watermarks from before end where others are made", "[runtime]") {
  EmitterTask world;
  world.record(1);
  world.watermark(5);
  world.idle();
  world.run();
  CHECK(world.take_all() == "201");
  world.emitter->next = {Watermark{9}, WatermarkStatus{.is_idle = true}};
  world.emitter->at = Instant(50ms);
  CHECK(world.run() == Progress::idle);
  CHECK(world.task.next_deadline() == Instant(50ms));
  world.world.clock.time = 50ms;
  world.record(2);
  world.run();
  CHECK(world.take_all() == "@9 idle 202");
  CHECK_FALSE(world.task.next_deadline());
}

TEST_CASE("stream task: back pressure is told to who makes watermarks", "[runtime]") {
  EmitterTask world;
  world.run();
  CHECK(world.emitter->pauses == 0);
  world.script.ready = false;
  world.run();
  CHECK(world.emitter->pauses > 0);
}

}  // namespace
}  // namespace streamrun
