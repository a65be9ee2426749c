#include <streamrun/state/keyed_table.h>

#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "modelled_table.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using PairKey = std::pair<std::string, std::int32_t>;

TEMPLATE_TEST_CASE("keyed table: random changes leave what they leave in a plain map", "[state]",
                   std::int64_t, std::string, PairKey) {
  const int max_parallelism = GENERATE(1, 2, 7, 128, 32768);
  INFO("max parallelism " << max_parallelism);
  const KeyGroupRange range{0, max_parallelism - 1};
  SeededRandom random(static_cast<std::uint64_t>(max_parallelism));
  ModelledTable<TestType> table(max_parallelism, range);
  const auto keys = some_keys<TestType>(3000, max_parallelism, range);
  // The keys in use grow, so that tables grow between changes of all ages.
  for (std::size_t step = 1; step <= 20000; ++step) {
    table.change(keys[random.below(1 + step * keys.size() / 20000)], random);
    if (step % 4000 == 0) REQUIRE(table.agrees_on(keys));
  }
  CHECK(table.model.size() > 1000);
}

TEST_CASE("keyed table: a subtask's share of the key groups is enough", "[state]") {
  const auto [subtask, parallelism, max_parallelism] = GENERATE(table<int, int, int>(
      {{0, 3, 128}, {1, 3, 128}, {2, 3, 128}, {6, 7, 7}, {9999, 10000, 32768}}));
  const KeyGroupRange range = key_group_range_of(subtask, parallelism, max_parallelism);
  SeededRandom random(5);
  ModelledTable<std::string> table(max_parallelism, range);
  const auto keys = some_keys<std::string>(200, max_parallelism, range);
  for (int step = 0; step < 2000; ++step) table.change(keys[random.below(keys.size())], random);
  CHECK(table.agrees_on(keys));
}

TEST_CASE("keyed table: rows that are cleared and made again take no room for good", "[state]") {
  ModelledTable<std::int64_t> table(1, {0, 0});
  ValueState<std::int64_t> state{"extra"};
  state.bind(table.table, "int64");
  for (std::int64_t round = 0; round < 300000; ++round) {
    table.table.set_current(round, key_hash_of<std::int64_t>(round));
    state.update(round);
    state.clear();
  }
  CHECK(table.table.size() == 0);
  KeyedTable<std::int64_t>::Cursor cursor;
  // The whole table is walked in one slice of a few slots: it has not grown with the rounds.
  CHECK(table.table.visit(cursor, 64, [](std::byte*, int) {}));
}

TEST_CASE("keyed table: a walk meets every row once, in slices of any size", "[state]") {
  ModelledTable<std::string> table(128, {0, 127});
  SeededRandom random(9);
  const auto keys = some_keys<std::string>(2000, 128, {0, 127});
  for (const std::string& key : keys) table.change(key, random);
  const std::size_t slice = GENERATE(1, 3, 1000, 1000000);
  std::multiset<std::string> met;
  KeyedTable<std::string>::Cursor cursor;
  while (!table.table.visit(cursor, slice, [&](std::byte* row, int group) {
    const std::string key(table.table.key_of(row).view());
    CHECK(key_group_of_hash(key_hash_of<std::string>(key), 128) == group);
    met.insert(key);
  })) {
  }
  std::multiset<std::string> expected;
  for (const auto& [key, row] : table.model) expected.insert(key);
  CHECK(met == expected);
}

TEST_CASE("keyed table: NaN is one key, zero and minus zero are two", "[state]") {
  KeyedTable<double> table(1, {0, 0});
  ValueState<std::int64_t> count{"count"};
  count.bind(table, "float64");
  for (const double key : {std::nan("1"), 0.0, -0.0, std::nan("2"), -0.0}) {
    table.set_current(key, key_hash_of<double>(key));
    count.update(count.value_or(0) + 1);
  }
  CHECK(table.size() == 3);
}

TEST_CASE("keyed table: two states of one name are refused", "[state]") {
  KeyedTable<std::int64_t> table(1, {0, 0});
  ValueState<std::int64_t> first{"same"};
  ValueState<std::string> second{"same"};
  first.bind(table, "int64");
  CHECK_THROWS_AS(second.bind(table, "int64"), ErrorException);
}

}  // namespace
}  // namespace streamrun
