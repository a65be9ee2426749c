#include <streamrun/operators/keyed_process_operator.h>
#include <streamrun/operators/map_operator.h>
#include <streamrun/state/operator_state.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"
#include "readme_operator_state_example.h"

namespace streamrun {
namespace {

using test::Bundle;
using test::OperatorHarness;
using test::OperatorUnderTest;
using test::require_results;

/// Each number with the sum of what was kept before, and whether a rule says that it is kept.
struct EveryKind {
  SplitListState<std::int64_t> kept{"kept"};
  UnionListState<std::string> seen{"seen"};
  BroadcastState<std::int64_t, bool> rules{"rules"};
  auto states() { return std::tie(kept, seen, rules); }

  std::int64_t operator()(std::int64_t number) {
    std::int64_t sum = number;
    for (const std::int64_t each : kept.get()) sum += each;
    if (number < 0) {
      rules.put(-number, true);
    } else if (rules.contains(number)) {
      kept.add(number);
    }
    seen.update({std::to_string(number)});
    return sum;
  }
};

template <typename Operator, typename F>
std::function<std::unique_ptr<StreamOperator>()> copies_of(F function) {
  return [function] { return std::make_unique<Operator>(function); };
}

const OperatorListState& list_of(const OperatorSubtaskState& state, const std::string& name) {
  for (const OperatorListState& list : state.lists) {
    if (list.name == name) return list;
  }
  FAIL("no list " << name);
  return state.lists.front();
}

}  // namespace

TEST_CASE("operator state: every kind goes on from any snapshot", "[operators]") {
  using Operator = MapOperator<std::int64_t, std::int64_t, EveryKind>;
  require_results<std::int64_t, std::int64_t>({copies_of<Operator>(EveryKind())},
                                              {5, -5, 5, -7, 7, 5, 9, 1},
                                              {5, -5, 5, -2, 12, 17, 26, 18});
}

TEST_CASE("operator state: a flat map over bundles, over any snapshot", "[operators]") {
  using Operator = FlatMapOperator<std::int64_t, std::string, Bundle>;
  require_results<std::int64_t, std::string>({copies_of<Operator>(Bundle())}, {1, 2, 3, 4, 5, 6, 7},
                                             {"1 2 3 ", "4 5 6 "});
}

TEST_CASE("operator state: a snapshot tells names, types and how it is redistributed",
          "[operators]") {
  using Operator = MapOperator<std::int64_t, std::int64_t, EveryKind>;
  const OperatorUnderTest<std::int64_t, std::int64_t> tested{copies_of<Operator>(EveryKind())};
  OperatorHarness<std::int64_t, std::int64_t> harness(tested);
  const auto shape = harness.op().state_shape();
  REQUIRE(shape.lists.size() == 3);
  CHECK(shape.lists[0].redistribution == Redistribution::split);
  CHECK(shape.lists[1].redistribution == Redistribution::union_all);
  CHECK(shape.lists[1].type == TypeSerializer<std::string>::type_name());
  CHECK(shape.lists[2].redistribution == Redistribution::broadcast);
  CHECK(harness.snapshot().lists.empty());

  harness.process({-3, 3, 3, -4});
  const OperatorSubtaskState state = harness.snapshot();
  CHECK(list_of(state, "kept").elements.size() == 2);
  CHECK(list_of(state, "seen").elements.size() == 1);
  CHECK(list_of(state, "rules").elements.size() == 2);
  for (const OperatorListState& list : state.lists) {
    for (const OperatorListState& described : shape.lists) {
      if (described.name != list.name) continue;
      CHECK(list.type == described.type);
      CHECK(list.redistribution == described.redistribution);
    }
  }
}

TEST_CASE("operator state: two of one name are E-CONF", "[operators]") {
  struct Twice {
    SplitListState<std::int64_t> one{"same"};
    UnionListState<std::int64_t> other{"same"};
    auto states() { return std::tie(one, other); }
    std::int64_t operator()(std::int64_t number) { return number; }
  };
  MapOperator<std::int64_t, std::int64_t, Twice> op{Twice()};
  try {
    op.state_shape();
    FAIL("it was taken");
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().code == ErrorCode::config);
    CHECK(thrown.error().message.find("\"same\"") != std::string::npos);
  }
}

TEST_CASE("operator state: what a function does not name is E-CONF when it is used",
          "[operators]") {
  struct Silent {
    SplitListState<std::int64_t> kept{"kept"};
    std::int64_t operator()(std::int64_t number) {
      kept.add(number);
      return number;
    }
  };
  using Operator = MapOperator<std::int64_t, std::int64_t, Silent>;
  const OperatorUnderTest<std::int64_t, std::int64_t> tested{copies_of<Operator>(Silent())};
  OperatorHarness<std::int64_t, std::int64_t> harness(tested);
  try {
    harness.process({1});
    FAIL("it went on");
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().code == ErrorCode::config);
    CHECK(thrown.error().message.find("\"kept\"") != std::string::npos);
  }
}

TEST_CASE("operator state: an element that can't be read is E-STATE-CORRUPT", "[operators]") {
  SplitListState<std::int64_t> list("numbers");
  OperatorListState saved = list.describe();
  saved.elements = {"abc"};
  try {
    list.restore(saved);
    FAIL("it was taken");
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().code == ErrorCode::state_corrupt);
    CHECK(thrown.error().message.find("\"numbers\"") != std::string::npos);
  }
}

TEST_CASE("operator state: a keyed function may have it beside keyed state", "[operators]") {
  /// How often each text came, and how many records there were.
  struct Counts {
    ValueState<std::int64_t> of_key{"of key"};
    SplitListState<std::int64_t> all{"all"};

    void process(std::string_view text, KeyedContext<std::string>&, Output<std::string>& output) {
      of_key.update(of_key.value_or(0) + 1);
      all.update({all.get().empty() ? 1 : all.get().front() + 1});
      output.emit(std::string(text) + " " + std::to_string(*of_key.get()) + " of " +
                  std::to_string(all.get().front()));
    }
  };
  using Operator =
      KeyedProcessOperator<std::string, std::string, std::string, std::identity, Counts>;
  const OperatorUnderTest<std::string, std::string> tested{
      .make = [] { return std::make_unique<Operator>(std::identity(), Counts()); },
      .key_hash = [](std::string_view text) { return key_hash_of<std::string>(text); }};
  require_results<std::string, std::string>(tested, {"a", "b", "a"},
                                            {"a 1 of 1", "b 1 of 2", "a 2 of 3"});
}

}  // namespace streamrun
