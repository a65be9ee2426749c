// Timers of keyed process functions: when they fire, and that they are state.
#include <streamrun/operators/keyed_process_operator.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using test::OperatorHarness;
using test::OperatorUnderTest;
using Lines = std::vector<std::string>;

/// What a record asks for: `register` or `delete` a timer of its key.
struct Ask {
  std::string key;
  Timestamp time = 0;
  bool deletes = false;
  TimeDomain domain = TimeDomain::event_time;
};

/// Says which timers fire, how far event time was, and how many records its key had.
struct Alarm {
  ValueState<std::int64_t> asked{"asked"};
  std::function<void(Timestamp, TimerService<std::string>&)> also = {};

  auto states() { return std::tie(asked); }
  void process(const Ask& ask, KeyedContext<std::string>& context, Output<std::string>&) {
    asked.update(asked.value_or(0) + 1);
    TimerService<std::string>& timers = context.timer_service();
    const bool is_of_events = ask.domain == TimeDomain::event_time;
    if (is_of_events && ask.deletes) timers.delete_event_time_timer(ask.time);
    if (is_of_events && !ask.deletes) timers.register_event_time_timer(ask.time);
    if (!is_of_events && ask.deletes) timers.delete_processing_time_timer(ask.time);
    if (!is_of_events && !ask.deletes) timers.register_processing_time_timer(ask.time);
  }
  void on_timer(Timestamp time, OnTimerContext<std::string>& context, Output<std::string>& output) {
    output.emit(std::string(context.key()) + " " + std::to_string(time) + " of " +
                std::to_string(asked.value_or(0)) +
                (context.time_domain() == TimeDomain::event_time ? "" : " by the clock"));
    if (also) also(time, context.timer_service());
  }
};

using AlarmOperator =
    KeyedProcessOperator<Ask, std::string, std::string, std::string Ask::*, Alarm>;

OperatorUnderTest<Ask, std::string> alarm(
    std::function<void(Timestamp, TimerService<std::string>&)> also = {}) {
  return {.make =
              [also] {
                Alarm function;
                function.also = also;
                return std::make_unique<AlarmOperator>(&Ask::key, function);
              },
          .key_hash = [](const Ask& ask) { return key_hash_of<std::string>(ask.key); }};
}

using Harness = OperatorHarness<Ask, std::string>;

Ask by_clock(const std::string& key, Timestamp time, bool deletes = false) {
  return {key, time, deletes, TimeDomain::processing_time};
}

Lines taken(Harness& harness) {
  return std::exchange(harness.results, {});
}

const std::string kAnn = "Ann with a name longer than a slot";

TEST_CASE("timers: fire in order of their times once event time has come to them", "[operators]") {
  Harness harness(alarm());
  harness.process({{"b", 20}, {kAnn, 10}, {"b", 30}, {kAnn, 25}, {"c", -5}});
  CHECK(harness.results.empty());
  harness.advance_to(9);
  CHECK(taken(harness) == Lines{"c -5 of 1"});
  harness.advance_to(25);
  CHECK(taken(harness) == Lines{kAnn + " 10 of 2", "b 20 of 2", kAnn + " 25 of 2"});
  harness.advance_to(29);
  CHECK(taken(harness).empty());
  harness.advance_to(30);
  CHECK(taken(harness) == Lines{"b 30 of 2"});
  harness.finish();
  CHECK(taken(harness).empty());
}

TEST_CASE("timers: one that is registered twice is one, and may come again once it has fired",
          "[operators]") {
  Harness harness(alarm());
  harness.process({{"a", 10}, {"a", 10}, {"a", 10}});
  harness.advance_to(10);
  CHECK(taken(harness) == Lines{"a 10 of 3"});
  harness.process({{"a", 10}});
  CHECK(taken(harness).empty());
  harness.advance_to(11);
  CHECK(taken(harness) == Lines{"a 10 of 4"});
}

TEST_CASE("timers: one that is deleted does not fire, unless it is registered again",
          "[operators]") {
  Harness harness(alarm());
  harness.process({{"a", 10}, {"a", 20}, {"b", 10}, {"a", 10, true}, {"a", 15, true}});
  harness.process({{"a", 20, true}, {"a", 20}});
  harness.advance_to(100);
  CHECK(taken(harness) == Lines{"b 10 of 1", "a 20 of 6"});
}

TEST_CASE("timers: those that on_timer registers and are due fire in the same round",
          "[operators]") {
  std::vector<Timestamp> watermarks;
  Harness harness(alarm([&](Timestamp time, TimerService<std::string>& timers) {
    watermarks.push_back(timers.current_watermark());
    if (time < 40) timers.register_event_time_timer(time + 10);
  }));
  harness.process({{"a", 10}, {"b", 25}});
  harness.advance_to(30);
  CHECK(taken(harness) == Lines{"a 10 of 1", "a 20 of 1", "b 25 of 1", "a 30 of 1"});
  harness.advance_to(31);
  CHECK(taken(harness).empty());
  harness.finish();
  CHECK(taken(harness) == Lines{"b 35 of 1", "a 40 of 1", "b 45 of 1"});
  CHECK(watermarks.front() == 30);
  CHECK(watermarks.back() == kMaxTimestamp);
}

TEST_CASE("timers: event time never goes back", "[operators]") {
  std::vector<Timestamp> seen;
  Harness harness(alarm([&](Timestamp, TimerService<std::string>& timers) {
    seen.push_back(timers.current_watermark());
  }));
  harness.advance_to(50);
  harness.advance_to(40);
  harness.process({{"a", 10}});
  harness.advance_to(51);
  CHECK(seen == std::vector<Timestamp>{51});
}

TEST_CASE("timers: many that are due fire a bounded number at a time", "[operators]") {
  Harness harness(alarm());
  std::vector<Ask> asks;
  for (Timestamp time = 0; time < 5000; ++time)
    asks.push_back({"k" + std::to_string(time % 7), time});
  harness.process(asks);
  CHECK_FALSE(harness.op().process_watermark(10'000));
  harness.op().flush();
  const std::size_t first = harness.results.size();
  CHECK(first > 0);
  CHECK(first < 5000);
  harness.advance_to(10'000);
  REQUIRE(harness.results.size() == 5000);
  CHECK(harness.results[4999].starts_with("k1 4999 "));
}

TEST_CASE("timers: an index of deleted ones does not grow", "[operators]") {
  // Each record moves the timer of its key on, as a session does: few are there at any time.
  struct Session {
    ValueState<Timestamp> ends{"ends"};
    auto states() { return std::tie(ends); }
    void process(const Ask& ask, KeyedContext<std::string>& context, Output<std::string>&) {
      if (const Timestamp* const old = ends.get())
        context.timer_service().delete_event_time_timer(*old);
      ends.update(ask.time);
      context.timer_service().register_event_time_timer(ask.time);
    }
    void on_timer(Timestamp time, OnTimerContext<std::string>& context,
                  Output<std::string>& output) {
      output.emit(std::string(context.key()) + " " + std::to_string(time) + " " +
                  std::to_string(ends.value_or(0)));
      ends.clear();
    }
  };
  using Sessions = KeyedProcessOperator<Ask, std::string, std::string, std::string Ask::*, Session>;
  Harness harness({.make = [] { return std::make_unique<Sessions>(&Ask::key, Session()); },
                   .key_hash = alarm().key_hash});
  for (Timestamp round = 0; round < 20; ++round) {
    std::vector<Ask> asks;
    for (Timestamp i = 0; i < 500; ++i) {
      asks.push_back({"a", 1000 * round + i});
      asks.push_back({kAnn, 2000 * round + i});
    }
    harness.process(asks);
  }
  harness.advance_to(kMaxTimestamp - 1);
  CHECK(harness.results == Lines{"a 19499 19499", kAnn + " 38499 38499"});
}

TEST_CASE("timer queue: drops what is there twice or no longer wanted", "[operators]") {
  TimerQueue<std::int64_t> queue;
  for (int copy = 0; copy < 3; ++copy) {
    for (const Timestamp time : {30, 10, 20, 10}) queue.push(time, time % 20, 7);
  }
  queue.clean_up([](const auto& entry) { return entry.time != 20; });
  CHECK(queue.size() == 2);
  queue.push(5, 1, 7);
  CHECK(queue.pop().time == 5);
  CHECK(queue.pop().time == 10);
  CHECK(queue.is_due(30));
  CHECK_FALSE(queue.is_due(29));
  CHECK(queue.pop().time == 30);
  CHECK(queue.empty());
}

TEST_CASE("timers: of the clock fire when it has come to them, not at the end of the input",
          "[operators]") {
  Harness harness(alarm());
  const Timestamp start = harness.world().clock.unix_milliseconds();
  harness.process(
      {by_clock("a", start + 20), by_clock("b", start + 10), by_clock("b", start + 30)});
  harness.process({by_clock("c", start + 5), by_clock("c", start + 5, true), {"a", start + 10}});
  CHECK_FALSE(harness.fire_due_timers());
  CHECK(harness.op().has_timers());
  harness.world().clock.time = 6ms;
  harness.fire_due_timers();
  CHECK(taken(harness).empty());
  CHECK(harness.op().next_timer_at() == Instant(10ms));
  harness.world().clock.time = 20ms;
  CHECK(harness.op().next_timer_at() == Instant(20ms));
  CHECK(harness.fire_due_timers());
  CHECK(taken(harness) == Lines{"b " + std::to_string(start + 10) + " of 2 by the clock",
                                "a " + std::to_string(start + 20) + " of 2 by the clock"});
  harness.finish();
  CHECK(taken(harness) == Lines{"a " + std::to_string(start + 10) + " of 2"});
}

TEST_CASE("timers: one far away is looked at again now and then, as the clock may be set",
          "[operators]") {
  Harness harness(alarm());
  harness.process({by_clock("a", kMaxTimestamp)});
  CHECK(harness.op().next_timer_at() == Instant(1h));
}

TEST_CASE("timers: come back with a snapshot, those of the clock fire at once if they are overdue",
          "[operators]") {
  Harness before(alarm());
  const Timestamp start = before.world().clock.unix_milliseconds();
  before.process({{"a", 10}, {kAnn, 20}, {"b", 5}, {"b", 30}, by_clock(kAnn, start + 5)});
  before.advance_to(6);
  CHECK(taken(before) == Lines{"b 5 of 2"});
  before.begin_snapshot(1);
  // Must not be in it, and is not taken from it.
  before.process({{"b", 7}});
  before.advance_to(100);
  const OperatorSubtaskState state = before.complete_snapshot();
  Harness after(alarm(), state);
  after.world().clock.time = 10ms;
  CHECK(after.fire_due_timers());
  CHECK(taken(after) == Lines{kAnn + " " + std::to_string(start + 5) + " of 2 by the clock"});
  // Watermarks are not state.
  after.advance_to(0);
  CHECK(taken(after).empty());
  after.process({{"a", 10}});
  after.finish();
  CHECK(taken(after) == Lines{"a 10 of 2", kAnn + " 20 of 2", "b 30 of 2"});
}

TEST_CASE("timers: a snapshot in the middle of a round has those that have not fired",
          "[operators]") {
  Harness before(alarm());
  std::vector<Ask> asks;
  for (Timestamp time = 0; time < 3000; ++time)
    asks.push_back({"k" + std::to_string(time % 7), time});
  before.process(asks);
  CHECK_FALSE(before.op().process_watermark(10'000));
  const OperatorSubtaskState state = before.snapshot();
  Lines lines = taken(before);
  Harness after(alarm(), state);
  after.advance_to(10'000);
  lines.insert(lines.end(), after.results.begin(), after.results.end());
  REQUIRE(lines.size() == 3000);
  for (std::size_t i = 0; i < lines.size(); ++i)
    REQUIRE(lines[i].find(" " + std::to_string(i) + " of ") != std::string::npos);
}

TEST_CASE("timers: move with their keys from one subtask to four and to two", "[operators]") {
  constexpr int kKeys = 100;
  Harness one(alarm());
  for (int key = 0; key < kKeys; ++key) {
    one.process({{"key" + std::to_string(key), 2 * key}, {"key" + std::to_string(key), 1000}});
  }
  std::vector<OperatorSubtaskState> states = {one.snapshot()};
  Lines lines;
  for (const int parallelism : {4, 2}) {
    std::vector<OperatorSubtaskState> next;
    std::size_t fired = 0;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      // Each reads its own key groups of all.
      OperatorSubtaskState all;
      for (const OperatorSubtaskState& state : states)
        all.keyed.insert(all.keyed.end(), state.keyed.begin(), state.keyed.end());
      Harness harness(alarm(), all, subtask, parallelism);
      harness.advance_to(parallelism == 4 ? 99 : 1000);
      fired += harness.results.size();
      lines.insert(lines.end(), harness.results.begin(), harness.results.end());
      next.push_back(harness.snapshot());
    }
    CHECK(fired == (parallelism == 4 ? 50 : 150));
    states = std::move(next);
  }
  std::sort(lines.begin(), lines.end());
  Lines expected;
  for (int key = 0; key < kKeys; ++key) {
    for (const int time : {2 * key, 1000})
      expected.push_back("key" + std::to_string(key) + " " + std::to_string(time) + " of 2");
  }
  std::sort(expected.begin(), expected.end());
  CHECK(lines == expected);
}

TEST_CASE("timers: over any snapshot each fires once", "[operators]") {
  std::vector<Ask> asks;
  for (Timestamp i = 0; i < 12; ++i)
    asks.push_back({i % 3 == 0 ? kAnn : "k" + std::to_string(i % 3), 100 - i, i % 6 == 4});
  Lines expected;
  for (Timestamp i = 0; i < 12; ++i) {
    if (i % 6 == 4) continue;
    expected.push_back((i % 3 == 0 ? kAnn : "k" + std::to_string(i % 3)) + " " +
                       std::to_string(100 - i) + " of 4");
  }
  test::require_results_in_any_order<Ask, std::string>(alarm(), asks, expected);
}

TEST_CASE("timers: are keyed state under Flink's names, only of functions that have on_timer",
          "[operators]") {
  Harness harness(alarm());
  const OperatorStateShape shape = harness.op().state_shape();
  REQUIRE(shape.keyed.size() == 3);
  CHECK(shape.keyed[1].name == "_timer_state/event_user-timers");
  CHECK(shape.keyed[1].kind == "timers");
  CHECK(shape.keyed[1].value_type == "list<int64>");
  CHECK(shape.keyed[1].namespace_type == "void");
  CHECK(shape.keyed[2].name == "_timer_state/processing_user-timers");
}

struct WithoutTimers {
  bool registers = false;
  void process(const Ask& ask, KeyedContext<std::string>& context, Output<std::string>& output) {
    if (registers) context.timer_service().register_event_time_timer(ask.time);
    output.emit(std::to_string(context.timer_service().current_watermark() == kMinTimestamp
                                   ? 0
                                   : context.timer_service().current_watermark()));
  }
};

TEST_CASE("timers: a function without on_timer may ask the time, and registers none",
          "[operators]") {
  using Plain =
      KeyedProcessOperator<Ask, std::string, std::string, std::string Ask::*, WithoutTimers>;
  const bool registers = GENERATE(false, true);
  Harness harness(
      {.make = [registers] { return std::make_unique<Plain>(&Ask::key, WithoutTimers{registers}); },
       .key_hash = alarm().key_hash});
  CHECK_FALSE(harness.op().has_timers());
  CHECK(harness.op().state_shape().keyed.empty());
  if (registers) {
    CHECK_THROWS_AS(harness.process({{"a", 1}}), ErrorException);
    return;
  }
  harness.process({{"a", 1}});
  harness.advance_to(70);
  harness.process({{"a", 1}});
  CHECK(harness.results == Lines{"0", "70"});
}

}  // namespace
}  // namespace streamrun
