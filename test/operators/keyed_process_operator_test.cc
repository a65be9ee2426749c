#include <streamrun/operators/keyed_process_operator.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"

namespace streamrun {
namespace {

using test::OperatorHarness;
using test::OperatorUnderTest;

struct Order {
  std::string customer;
  std::int64_t cents = 0;
};

template <typename Range>
std::size_t count_of(const Range& range) {
  return static_cast<std::size_t>(std::distance(range.begin(), range.end()));
}

/// How much a customer has spent, with every order; it starts again after 100.
struct Spending {
  ValueState<std::int64_t> total{"total"};
  MapState<std::int64_t, std::int64_t> amounts{"amounts"};

  void process(const Order& order, KeyedContext<std::string>& context,
               Output<std::string>& output) {
    total.update(total.value_or(0) + order.cents);
    const std::int64_t* const seen = amounts.get(order.cents);
    amounts.put(order.cents, seen != nullptr ? *seen + 1 : 1);
    output.emit(std::string(context.key()) + " " + std::to_string(*total.get()) + " in " +
                std::to_string(count_of(amounts.keys())) + " amounts");
    if (*total.get() > 100) {
      total.clear();
      amounts.clear();
    }
  }
};

using SpendingOperator =
    KeyedProcessOperator<Order, std::string, std::string, std::string Order::*, Spending>;

OperatorUnderTest<Order, std::string> spending() {
  return {.make = [] { return std::make_unique<SpendingOperator>(&Order::customer, Spending()); },
          .key_hash = [](const Order& order) { return key_hash_of<std::string>(order.customer); }};
}

TEST_CASE("keyed process operator: each key has its own state, over any snapshot", "[operators]") {
  const std::string ann = "Ann with a name longer than a slot";
  test::require_results<Order, std::string>(
      spending(), {{ann, 10}, {"bob", 7}, {ann, 10}, {ann, 90}, {"bob", 8}, {ann, 1}},
      {ann + " 10 in 1 amounts", "bob 7 in 1 amounts", ann + " 20 in 1 amounts",
       ann + " 110 in 2 amounts", "bob 15 in 2 amounts", ann + " 1 in 1 amounts"});
}

TEST_CASE("keyed process operator: describes the states that a restore must match", "[operators]") {
  OperatorHarness<Order, std::string> harness(spending());
  const OperatorStateShape shape = harness.op().state_shape();
  REQUIRE(shape.keyed.size() == 2);
  CHECK(shape.keyed[0].name == "total");
  CHECK(shape.keyed[0].key_type == "string");
  CHECK(shape.keyed[1].value_type == "map<int64,int64>");
  CHECK(shape.lists.empty());
}

TEST_CASE("keyed process operator: a snapshot covers its key groups even when it is empty (S3)",
          "[operators]") {
  OperatorHarness<Order, std::string> harness(spending());
  const OperatorSubtaskState state = harness.snapshot();
  REQUIRE(state.keyed.size() == 1);
  CHECK(state.keyed[0].entries == 0);
  CHECK(state.keyed[0].key_groups == KeyGroupRange{0, 127});
  OperatorHarness<Order, std::string> again(spending(), state);
  again.process({{"x", 1}});
  CHECK(again.results == std::vector<std::string>{"x 1 in 1 amounts"});
}

TEST_CASE("keyed process operator: does no work for a snapshot that was aborted", "[operators]") {
  OperatorHarness<Order, std::string> harness(spending());
  harness.process({{"x", 1}, {"y", 2}});
  auto part = std::make_shared<SnapshotPart>();
  part->barrier = {1, std::make_shared<const SnapshotTarget>()};
  std::vector<ErrorCode> failures;
  part->done = [](const OperatorSubtaskState&) { FAIL("it was aborted"); };
  part->failed = [&](const Error& error) { failures.push_back(error.code); };
  harness.op().snapshot(std::move(part));
  harness.op().notify_aborted(1);
  CHECK_FALSE(harness.op().advance_snapshots());
  harness.world().settle();
  CHECK(failures == std::vector<ErrorCode>{ErrorCode::cancelled});
}

TEST_CASE("keyed process operator: a snapshot of other states is refused when it opens",
          "[operators]") {
  OperatorHarness<Order, std::string> harness(spending());
  harness.process({{"x", 1}});
  OperatorSubtaskState state = harness.snapshot();
  state.keyed[0].states[0].value_type = "string";
  CHECK_THROWS_AS((OperatorHarness<Order, std::string>(spending(), state)), ErrorException);
}

/// A pair as key, and a selector that makes its key.
struct SeenBefore {
  ValueState<bool> seen{"seen"};
  void process(std::int64_t number, KeyedContext<std::pair<std::string, bool>>& context,
               Output<std::string>& output) {
    if (seen.value_or(false)) return;
    seen.update(true);
    output.emit(std::to_string(number) + (context.key().second ? " even " : " odd ") +
                context.key().first);
  }
};
std::pair<std::string, bool> key_of_number(std::int64_t number) {
  return {number < 10 ? "a number below ten, as a long text" : "large", number % 2 == 0};
}

TEST_CASE("keyed process operator: a key that the selector makes lives as long as it is needed",
          "[operators]") {
  using Operator = KeyedProcessOperator<std::int64_t, std::pair<std::string, bool>, std::string,
                                        decltype(&key_of_number), SeenBefore>;
  const OperatorUnderTest<std::int64_t, std::string> tested{
      .make = [] { return std::make_unique<Operator>(&key_of_number, SeenBefore()); },
      .key_hash =
          [](std::int64_t number) {
            return key_hash_of<std::pair<std::string, bool>>(key_of_number(number));
          }};
  const std::string below = "a number below ten, as a long text";
  test::require_results<std::int64_t, std::string>(
      tested, {1, 2, 3, 10, 4, 12, 11},
      {"1 odd " + below, "2 even " + below, "10 even large", "11 odd large"});
}

}  // namespace
}  // namespace streamrun
