#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;

/// Functions that say in which order they were called, and one of each other form.
struct OtherFoldings {
  static std::string joined(std::string so_far, std::string next) { return so_far + "+" + next; }
  /// As the aggregations of a keyed stream: made of the first value, and its own result.
  struct CountFromFirst {
    using Accumulator = std::int64_t;
    Accumulator create(const std::string&) const { return 1; }
    void add(Accumulator& count, const std::string&) const { ++count; }
  };

  ReducingState<std::string> text{"text", joined};
  AggregatingState<std::string, CountFromFirst> count{"count"};
};
using Other = KeyedOperator<std::string, OtherFoldings>;

ConformanceCase other_folding(std::string name, std::function<void(Other&)> steps, Lines rows) {
  return {std::move(name), [steps = std::move(steps), rows = std::move(rows)] {
            conforms<std::string, OtherFoldings>({}, steps, rows);
          }};
}

}  // namespace

ConformanceCases folding_cases() {
  ConformanceCases cases = cases_of({
      {"reducing state: a key to which nothing was added has nothing",
       [](Op& op) { CHECK(op.at("a").reducing.get() == nullptr); }, Lines{}},
      {"reducing state: the first value is taken as it is",
       [](Op& op) {
         op.at("a").reducing.add(5);
         CHECK(seen(op.at("a")) == SeenKinds{.reduced = 5});
       },
       Lines{R"("a" reducing=5)"}},
      {"reducing state: what is added is reduced",
       [](Op& op) {
         for (const std::int64_t number : {5, -7, 4}) op.at("a").reducing.add(number);
         CHECK(*op.at("a").reducing.get() == 2);
       },
       Lines{R"("a" reducing=2)"}},
      {"reducing state: a sum of nought is state",
       [](Op& op) {
         op.at("a").reducing.add(3);
         op.at("a").reducing.add(-3);
         REQUIRE(op.at("a").reducing.get() != nullptr);
         CHECK(*op.at("a").reducing.get() == 0);
       },
       Lines{R"("a" reducing=0)"}},
      {"reducing state: a clear forgets, and what follows begins anew",
       [](Op& op) {
         op.at("a").reducing.add(3);
         op.at("a").reducing.clear();
         CHECK(op.at("a").reducing.get() == nullptr);
         op.at("a").reducing.clear();
         op.at("a").reducing.add(4);
         CHECK(*op.at("a").reducing.get() == 4);
       },
       Lines{R"("a" reducing=4)"}},
      {"reducing state: each key has its own",
       [](Op& op) {
         for (std::int64_t number = 1; number <= 9; ++number)
           op.at(std::to_string(number % 3)).reducing.add(number);
         CHECK(*op.at("0").reducing.get() == 18);
         CHECK(*op.at("1").reducing.get() == 12);
         CHECK(*op.at("2").reducing.get() == 15);
       },
       Lines{R"("0" reducing=18)", R"("1" reducing=12)", R"("2" reducing=15)"}},
      {"reducing state: a restored one goes on",
       [](Op& op) {
         op.at("a").reducing.add(1);
         op.restart();
         op.at("a").reducing.add(2);
         op.restart();
         CHECK(*op.at("a").reducing.get() == 3);
       },
       Lines{R"("a" reducing=3)"}},
      {"reducing state: the extreme numbers are values",
       [](Op& op) {
         using Limits = std::numeric_limits<std::int64_t>;
         op.at("a").reducing.add(Limits::max());
         op.at("b").reducing.add(Limits::min());
         op.at("b").reducing.add(Limits::max());
         CHECK(*op.at("a").reducing.get() == Limits::max());
         CHECK(*op.at("b").reducing.get() == -1);
       },
       Lines{R"("a" reducing=9223372036854775807)", R"("b" reducing=-1)"}},
      {"aggregating state: a key to which nothing was added has nothing",
       [](Op& op) { CHECK(op.at("a").aggregating.get() == std::nullopt); }, Lines{}},
      {"aggregating state: the accumulator is kept, the result is made of it",
       [](Op& op) {
         for (const std::int64_t number : {4, 10, 1}) op.at("a").aggregating.add(number);
         CHECK(seen(op.at("a")) == SeenKinds{.mean = 5});
       },
       Lines{R"("a" aggregating=[3,15])"}},
      {"aggregating state: a result of nought is state",
       [](Op& op) {
         op.at("a").aggregating.add(0);
         CHECK(op.at("a").aggregating.get() == 0);
       },
       Lines{R"("a" aggregating=[1,0])"}},
      {"aggregating state: a clear forgets, and what follows begins anew",
       [](Op& op) {
         op.at("a").aggregating.add(3);
         op.at("a").aggregating.clear();
         CHECK(op.at("a").aggregating.get() == std::nullopt);
         op.at("a").aggregating.clear();
         op.at("a").aggregating.add(9);
         CHECK(op.at("a").aggregating.get() == 9);
       },
       Lines{R"("a" aggregating=[1,9])"}},
      {"aggregating state: each key has its own",
       [](Op& op) {
         op.at("a").aggregating.add(1);
         op.at("b").aggregating.add(-8);
         op.at("a").aggregating.add(3);
         CHECK(op.at("a").aggregating.get() == 2);
         CHECK(op.at("b").aggregating.get() == -8);
       },
       Lines{R"("a" aggregating=[2,4])", R"("b" aggregating=[1,-8])"}},
      {"aggregating state: a restored accumulator goes on",
       [](Op& op) {
         op.at("a").aggregating.add(1);
         op.restart();
         op.at("a").aggregating.add(2);
         op.restart();
         op.at("a").aggregating.add(6);
         CHECK(op.at("a").aggregating.get() == 3);
       },
       Lines{R"("a" aggregating=[3,9])"}},
  });
  cases.push_back(
      other_folding("reducing state: the function gets what is there first, then what is added",
                    [](Other& op) {
                      for (const char* const text : {"x", "", "y"}) op.at("a").text.add(text);
                      CHECK(*op.at("a").text.get() == "x++y");
                    },
                    {R"("a" text="x++y")"}));
  cases.push_back(other_folding("aggregating state: an accumulator may be made of the first value",
                                [](Other& op) {
                                  for (const char* const text : {"x", "", "y"})
                                    op.at("a").count.add(text);
                                  op.restart();
                                  op.at("a").count.add("z");
                                  CHECK(op.at("a").count.get() == 4);
                                },
                                {R"("a" count=4)"}));
  return cases;
}

}  // namespace streamrun
