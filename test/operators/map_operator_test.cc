#include <streamrun/operators/map_operator.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"

namespace streamrun {
namespace {

using test::OperatorHarness;
using test::OperatorUnderTest;
using test::require_results;

struct Order {
  std::string customer;
  std::int64_t cents = 0;
  bool operator==(const Order&) const = default;
};

Order order_of(std::string_view customer) {
  return {.customer = std::string(customer), .cents = static_cast<std::int64_t>(customer.size())};
}
bool is_short(std::string_view text) {
  return text.size() < 4;
}
void split_words(std::string_view line, Output<std::string>& output) {
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    output.emit(line.substr(at, end - at));
    at = end + 1;
  }
}

template <typename Operator, typename F>
std::function<std::unique_ptr<StreamOperator>()> making(F function) {
  return [function] { return std::make_unique<Operator>(function); };
}

const std::vector<std::string> kLines = {"a bc", "", "defg", "a line that is longer than a slot",
                                         "hi"};

TEST_CASE("map operator: makes one record of each, from texts and from structs", "[operators]") {
  require_results<std::string, Order>(
      {making<MapOperator<std::string, Order, decltype(&order_of)>>(&order_of)}, {"abc", "", "de"},
      {{"abc", 3}, {"", 0}, {"de", 2}});
  const auto customer_of = &Order::customer;
  require_results<Order, std::string>(
      {making<MapOperator<Order, std::string, decltype(customer_of)>>(customer_of)},
      {{"x", 1}, {"y", 2}}, {"x", "y"});
}

TEST_CASE("filter operator: keeps the records for which the predicate holds", "[operators]") {
  require_results<std::string, std::string>(
      {making<FilterOperator<std::string, decltype(&is_short)>>(&is_short)}, kLines, {"", "hi"});
}

TEST_CASE("flat map operator: sends whatever its function emits, in order", "[operators]") {
  require_results<std::string, std::string>(
      {making<FlatMapOperator<std::string, std::string, decltype(&split_words)>>(&split_words)},
      kLines, {"a", "bc", "defg", "a", "line", "that", "is", "longer", "than", "a", "slot", "hi"});
}

TEST_CASE("flat map operator: may emit more than fits into a batch", "[operators]") {
  const auto repeat = [](std::int64_t count, Output<std::int64_t>& output) {
    for (std::int64_t i = 0; i < count; ++i) output.emit(std::int64_t{i});
  };
  using Repeat = FlatMapOperator<std::int64_t, std::int64_t, decltype(repeat)>;
  OperatorHarness<std::int64_t, std::int64_t> harness({making<Repeat>(repeat)});
  harness.process({5000, 0, 3});
  REQUIRE(harness.results.size() == 5003);
  for (std::size_t i = 0; i < 5000; ++i)
    REQUIRE(harness.results[i] == static_cast<std::int64_t>(i));
  CHECK(harness.op().records_in() == 3);
  CHECK(harness.op().records_out() == 5003);
}

TEST_CASE("batch flat map operator: sees batches and sends what it emits", "[operators]") {
  const auto lengths = [](const Batch<std::string>& lines, Output<std::int64_t>& output) {
    for (const std::string_view line : lines) output.emit(static_cast<std::int64_t>(line.size()));
  };
  using Lengths = BatchFlatMapOperator<std::string, std::int64_t, decltype(lengths)>;
  require_results<std::string, std::int64_t>({making<Lengths>(lengths)}, kLines, {4, 0, 4, 33, 2});
}

TEST_CASE("stateless operators: have no state to restore", "[operators]") {
  OperatorHarness<std::string, std::string> harness(
      {making<FilterOperator<std::string, decltype(&is_short)>>(&is_short)});
  CHECK(harness.op().state_shape().keyed.empty());
  CHECK(harness.op().state_shape().lists.empty());
  CHECK(harness.snapshot().empty());
}

}  // namespace
}  // namespace streamrun
