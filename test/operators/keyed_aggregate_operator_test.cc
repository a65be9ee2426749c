#include <streamrun/operators/keyed_aggregate_operator.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using test::OperatorHarness;
using test::OperatorUnderTest;

struct Count {
  using Accumulator = std::int64_t;
  Accumulator create(std::string_view) const { return 1; }
  void add(Accumulator& count, std::string_view) const { ++count; }
};
std::string row_of(std::string_view word, std::int64_t count) {
  return std::string(word) + "=" + std::to_string(count);
}

/// Records that are not their own key: everything behind the first character is.
struct TailOf {
  std::string operator()(std::string_view text) const { return std::string(text.substr(1)); }
};
/// The texts of a key, one behind the other.
struct Join {
  using Accumulator = std::string;
  Accumulator create(std::string_view text) const { return std::string(text.substr(0, 1)); }
  void add(Accumulator& joined, std::string_view text) const { joined += text.front(); }
};
std::string joined_row(std::string_view key, const std::string& joined) {
  return joined + ":" + std::string(key);
}

OperatorUnderTest<std::string, std::string> counting(Emit emit) {
  using Operator = KeyedAggregateOperator<std::string, std::string, std::string, std::identity,
                                          Count, decltype(&row_of)>;
  return {
      .make =
          [emit] { return std::make_unique<Operator>(std::identity(), Count(), &row_of, emit); },
      .key_hash = [](std::string_view text) { return key_hash_of<std::string>(text); }};
}
OperatorUnderTest<std::string, std::string> joining(Emit emit) {
  using Operator = KeyedAggregateOperator<std::string, std::string, std::string, TailOf, Join,
                                          decltype(&joined_row)>;
  return {
      .make = [emit] { return std::make_unique<Operator>(TailOf(), Join(), &joined_row, emit); },
      .key_hash = [](std::string_view text) { return key_hash_of<std::string>(TailOf()(text)); }};
}

const std::string kLong = "a word that does not fit into its slot";

TEST_CASE("keyed aggregate operator: shows the running result with every record", "[operators]") {
  test::require_results<std::string, std::string>(
      counting(Emit::on_update), {"a", kLong, "a", "b", kLong, "a"},
      {"a=1", kLong + "=1", "a=2", "b=1", kLong + "=2", "a=3"});
}

TEST_CASE("keyed aggregate operator: shows one result per key when the input has ended",
          "[operators]") {
  test::require_results_in_any_order<std::string, std::string>(counting(Emit::at_end_of_input),
                                                               {"a", kLong, "a", "b", kLong, "a"},
                                                               {"a=3", kLong + "=2", "b=1"});
}

TEST_CASE("keyed aggregate operator: keys that the selector makes may be long", "[operators]") {
  test::require_results<std::string, std::string>(joining(Emit::on_update),
                                                  {"1" + kLong, "2x", "3" + kLong, "4x"},
                                                  {"1:" + kLong, "2:x", "13:" + kLong, "24:x"});
  test::require_results_in_any_order<std::string, std::string>(
      joining(Emit::at_end_of_input), {"1" + kLong, "2x", "3" + kLong, "4x"},
      {"13:" + kLong, "24:x"});
}

TEST_CASE("keyed aggregate operator: nothing in, nothing out", "[operators]") {
  test::require_results<std::string, std::string>(
      counting(GENERATE(Emit::on_update, Emit::at_end_of_input)), {}, {});
}

struct ManyWords {
  std::vector<std::string> inputs;
  std::map<std::string, std::int64_t> counts;
};
ManyWords many_words() {
  ManyWords words;
  SeededRandom random(3);
  for (int i = 0; i < 30000; ++i) {
    const std::uint64_t word = random.below(9000);
    words.inputs.push_back((word % 2 == 0 ? "w" : "a word with a long name ") +
                           std::to_string(word));
    ++words.counts[words.inputs.back()];
  }
  return words;
}

void take(std::map<std::string, std::int64_t>& seen, const std::vector<std::string>& results) {
  for (const std::string& result : results) {
    const std::size_t at = result.find('=');
    CHECK(seen.emplace(result.substr(0, at), std::stoll(result.substr(at + 1))).second);
  }
}

TEST_CASE(
    "keyed aggregate operator: a snapshot between two steps of finish repeats and loses no key",
    "[operators]") {
  const ManyWords words = many_words();
  const int steps_before = GENERATE(0, 1, 2, 3, 5);
  INFO("a snapshot after step " << steps_before);
  OperatorHarness<std::string, std::string> before(counting(Emit::at_end_of_input));
  before.process(words.inputs);
  for (int i = 0; i < steps_before; ++i) REQUIRE_FALSE(before.finish_step());
  std::map<std::string, std::int64_t> seen;
  take(seen, before.results);
  before.begin_snapshot(1);
  // Goes on emptying its table under the snapshot's cursor.
  for (int i = 0; i < 3; ++i) before.finish_step();
  const OperatorSubtaskState state = before.complete_snapshot();
  OperatorHarness<std::string, std::string> after(counting(Emit::at_end_of_input), state);
  after.finish();
  take(seen, after.results);
  CHECK((seen == words.counts));
}

TEST_CASE("keyed aggregate operator: a step of finish emits a bounded part", "[operators]") {
  const ManyWords words = many_words();
  OperatorHarness<std::string, std::string> harness(counting(Emit::at_end_of_input));
  harness.process(words.inputs);
  std::size_t last = 0;
  int steps = 0;
  for (bool done = false; !done; ++steps) {
    done = harness.finish_step();
    CHECK(harness.results.size() - last <= kBatchRecords);
    last = harness.results.size();
  }
  CHECK(steps > 5);
  CHECK(harness.results.size() == words.counts.size());
  CHECK(harness.op().records_in() == words.inputs.size());
  CHECK(harness.op().records_out() == words.counts.size());
}

TEST_CASE(
    "keyed aggregate operator: finished state is gone: restored from behind it, nothing comes "
    "again",
    "[operators]") {
  OperatorHarness<std::string, std::string> before(counting(Emit::at_end_of_input));
  before.process({"a", "b", "a"});
  before.finish();
  OperatorHarness<std::string, std::string> after(counting(Emit::at_end_of_input),
                                                  before.snapshot());
  after.finish();
  CHECK(after.results.empty());
}

}  // namespace
}  // namespace streamrun
