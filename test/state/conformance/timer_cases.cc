#include <streamrun/state/timer_state.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"

namespace streamrun {
namespace {

using Times = std::vector<std::int64_t>;

/// The two queues of an operator, beside a state of its function.
struct Timers {
  TimerState event_time{"event"};
  TimerState processing_time{"processing"};
  ValueState<std::string> value{"value"};
};
using TimersOperator = KeyedOperator<std::string, Timers>;

Times times_of(const TimerState& timers) {
  const Times* const times = timers.get();
  return times != nullptr ? *times : Times();
}

struct TimersCase {
  std::string name;
  std::function<void(TimersOperator&)> steps;
  std::optional<Lines> rows = {};
};

}  // namespace

ConformanceCases timer_cases() {
  const std::vector<TimersCase> table = {
      {"timers: a key without timers has none",
       [](TimersOperator& op) {
         CHECK(op.at("a").event_time.get() == nullptr);
         CHECK_FALSE(op.at("a").event_time.contains(0));
         CHECK_FALSE(op.at("a").event_time.remove(0));
       },
       Lines{}},
      {"timers: they are in the order of their times",
       [](TimersOperator& op) {
         for (const std::int64_t time : {30, 10, 20}) CHECK(op.at("a").event_time.add(time));
         CHECK(times_of(op.at("a").event_time) == Times{10, 20, 30});
         CHECK(op.at("a").event_time.contains(20));
         CHECK_FALSE(op.at("a").event_time.contains(21));
       },
       Lines{R"("a" event=[10,20,30])"}},
      {"timers: one that is there already is not added again",
       [](TimersOperator& op) {
         CHECK(op.at("a").event_time.add(10));
         CHECK_FALSE(op.at("a").event_time.add(10));
         CHECK(op.at("b").event_time.add(10));
         CHECK(times_of(op.at("a").event_time) == Times{10});
       },
       Lines{R"("a" event=[10])", R"("b" event=[10])"}},
      {"timers: a removed one is gone, others stay",
       [](TimersOperator& op) {
         for (const std::int64_t time : {10, 20, 30}) op.at("a").event_time.add(time);
         CHECK(op.at("a").event_time.remove(20));
         CHECK_FALSE(op.at("a").event_time.remove(20));
         CHECK(times_of(op.at("a").event_time) == Times{10, 30});
       },
       Lines{R"("a" event=[10,30])"}},
      {"timers: removing the last one leaves no state",
       [](TimersOperator& op) {
         op.at("a").event_time.add(10);
         CHECK(op.at("a").event_time.remove(10));
         CHECK(op.at("a").event_time.get() == nullptr);
       },
       Lines{}},
      {"timers: a removed one may be added again",
       [](TimersOperator& op) {
         op.at("a").event_time.add(10);
         op.at("a").event_time.remove(10);
         CHECK(op.at("a").event_time.add(10));
         CHECK(times_of(op.at("a").event_time) == Times{10});
       },
       Lines{R"("a" event=[10])"}},
      {"timers: the two domains know nothing of each other",
       [](TimersOperator& op) {
         op.at("a").event_time.add(10);
         CHECK_FALSE(op.at("a").processing_time.contains(10));
         CHECK(op.at("a").processing_time.add(10));
         op.at("a").processing_time.add(20);
         CHECK(op.at("a").event_time.remove(10));
         CHECK(times_of(op.at("a").processing_time) == Times{10, 20});
       },
       Lines{R"("a" processing=[10,20])"}},
      {"timers: any time may be one",
       [](TimersOperator& op) {
         using Limits = std::numeric_limits<std::int64_t>;
         for (const std::int64_t time : {Limits::max(), std::int64_t{-1}, Limits::min()})
           op.at("a").event_time.add(time);
         CHECK(times_of(op.at("a").event_time) == Times{Limits::min(), -1, Limits::max()});
       },
       Lines{R"("a" event=[-9223372036854775808,-1,9223372036854775807])"}},
      {"timers: they are state of the key like any other",
       [](TimersOperator& op) {
         op.at("a").value.update("x");
         op.at("a").event_time.add(10);
         op.at("a").value.clear();
         CHECK(times_of(op.at("a").event_time) == Times{10});
         op.at("b").event_time.add(10);
         op.at("b").value.update("y");
         op.at("b").event_time.remove(10);
         CHECK(*op.at("b").value.get() == "y");
       },
       Lines{R"("a" event=[10])", R"("b" value="y")"}},
      {"timers: restored ones go on, at another parallelism",
       [](TimersOperator& op) {
         for (int key = 0; key < 60; ++key) {
           for (std::int64_t time = 0; time <= key % 4; ++time)
             op.at(std::to_string(key)).event_time.add(100 * time + key);
         }
         for (const int parallelism : {3, 2}) {
           op.restart(parallelism);
           for (int key = 0; key < 60; ++key) {
             Timers& timers = op.at(std::to_string(key));
             CHECK(timers.event_time.contains(key));
             CHECK(times_of(timers.event_time).size() == static_cast<std::size_t>(key % 4) + 1);
           }
         }
         for (int key = 0; key < 60; ++key) {
           CHECK(op.at(std::to_string(key)).event_time.remove(key));
           CHECK(op.at(std::to_string(key)).event_time.add(-key - 1));
         }
       }},
      {"timers: a key may have many",
       [](TimersOperator& op) {
         for (std::int64_t time = 2000; time > 0; --time)
           op.at("a").processing_time.add(time * 7919 % 2003);
         CHECK(times_of(op.at("a").processing_time).size() == 2000);
         op.restart();
         for (std::int64_t time = 1; time < 2000; ++time)
           CHECK(op.at("a").processing_time.remove(time * 7919 % 2003));
         CHECK(times_of(op.at("a").processing_time) == Times{2000 * 7919 % 2003});
       }},
  };
  ConformanceCases cases;
  for (const TimersCase& each : table) {
    cases.push_back(
        {each.name, [each] { conforms<std::string, Timers>({}, each.steps, each.rows); }});
  }
  return cases;
}

}  // namespace streamrun
