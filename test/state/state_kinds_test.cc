#include <streamrun/state/keyed_state.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

/// A table that has no state yet, and keys for it.
struct Keys {
  /// The table refers to the key until the next one.
  void set(std::string next) {
    key = std::move(next);
    table.set_current(key, key_hash_of<std::string>(key));
  }

  std::string key;
  KeyedTable<std::string> table{128, {0, 127}};
};

template <typename Range>
auto all_of(const Range& range) {
  std::vector<std::remove_cvref_t<decltype(*range.begin())>> all;
  for (const auto& each : range) all.push_back(each);
  return all;
}

using Texts = std::vector<std::string>;

TEST_CASE("list state: keeps what was added, in order, for each key", "[state]") {
  Keys keys;
  ListState<std::string> state{"list"};
  state.bind(keys.table, "string");
  keys.set("a");
  CHECK(state.get().empty());
  CHECK(all_of(state.get()).empty());
  CHECK(keys.table.size() == 0);
  state.add("x");
  state.add("y");
  state.add("x");
  keys.set("b");
  state.add_all({"1", "2"});
  state.add_all(Texts{"3"});
  keys.set("a");
  CHECK(all_of(state.get()) == Texts{"x", "y", "x"});
  CHECK(state.get().begin()->size() == 1);
  keys.set("b");
  CHECK(all_of(state.get()) == Texts{"1", "2", "3"});
  CHECK(keys.table.size() == 2);
}

TEST_CASE("list state: an update replaces the list, and an empty one clears it", "[state]") {
  Keys keys;
  ListState<std::string> state{"list"};
  state.bind(keys.table, "string");
  keys.set("a");
  state.update({"x", "y"});
  CHECK(all_of(state.get()) == Texts{"x", "y"});
  state.update(all_of(state.get()));
  CHECK(all_of(state.get()) == Texts{"x", "y"});
  state.update(Texts());
  CHECK(keys.table.size() == 0);
  state.add_all(Texts());
  CHECK(keys.table.size() == 0);
  state.update(Texts());
  CHECK(keys.table.size() == 0);
  state.add("z");
  state.clear();
  CHECK(state.get().empty());
  CHECK(keys.table.size() == 0);
}

TEST_CASE("list state: takes elements from the state of another list, and bools", "[state]") {
  Keys keys;
  ListState<bool> from{"from"};
  ListState<bool> to{"to"};
  from.bind(keys.table, "string");
  to.bind(keys.table, "string");
  keys.set("a");
  from.update({true, false, true});
  to.add_all(from.get());
  to.add_all(from.get());
  CHECK(all_of(to.get()) == std::vector<bool>{true, false, true, true, false, true});
}

std::int64_t larger(std::int64_t a, std::int64_t b) {
  return std::max(a, b);
}

TEST_CASE("reducing state: reduces what was added for a key, by a type or a function", "[state]") {
  Keys keys;
  ReducingState<std::string, std::plus<>> joined{"joined"};
  ReducingState<std::int64_t> largest{"largest", larger};
  joined.bind(keys.table, "string");
  largest.bind(keys.table, "string");
  keys.set("a");
  CHECK(joined.get() == nullptr);
  for (const std::int64_t number : {3, 9, 4}) {
    joined.add(std::to_string(number));
    largest.add(number);
  }
  keys.set("b");
  CHECK(largest.get() == nullptr);
  largest.add(-1);
  keys.set("a");
  CHECK(*joined.get() == "394");
  CHECK(*largest.get() == 9);
  joined.clear();
  CHECK(joined.get() == nullptr);
  joined.add("x");
  CHECK(*joined.get() == "x");
}

/// A mean that is kept as sum and count.
struct Mean {
  using Accumulator = std::pair<std::int64_t, std::int64_t>;
  Accumulator create() const { return {0, 0}; }
  void add(Accumulator& accumulator, std::int32_t value) const {
    accumulator.first += value;
    ++accumulator.second;
  }
  double get_result(const Accumulator& accumulator) const {
    return static_cast<double>(accumulator.first) / static_cast<double>(accumulator.second);
  }
};
/// As the aggregations of a keyed stream are.
struct CountFromFirst {
  using Accumulator = std::int64_t;
  Accumulator create(const std::string&) const { return 1; }
  void add(Accumulator& count, const std::string&) const { ++count; }
};

TEST_CASE("aggregating state: keeps an accumulator per key and gives its result", "[state]") {
  Keys keys;
  AggregatingState<std::int32_t, Mean> mean{"mean"};
  AggregatingState<std::string, CountFromFirst> count{"count"};
  mean.bind(keys.table, "string");
  count.bind(keys.table, "string");
  keys.set("a");
  CHECK(mean.get() == std::nullopt);
  mean.add(1);
  mean.add(2);
  count.add("x");
  count.add("y");
  keys.set("b");
  CHECK(mean.get() == std::nullopt);
  mean.add(7);
  keys.set("a");
  CHECK(mean.get() == 1.5);
  CHECK(count.get() == 2);
  mean.clear();
  CHECK(mean.get() == std::nullopt);
  mean.add(9);
  CHECK(mean.get() == 9);
}

TEST_CASE("map state: gives keys, values and entries in the order of the keys", "[state]") {
  Keys keys;
  MapState<std::int64_t, std::string> state{"map"};
  state.bind(keys.table, "string");
  keys.set("a");
  CHECK(state.entries().empty());
  CHECK(all_of(state.keys()).empty());
  state.put_all({{3, "three"}, {1, "one"}});
  state.put_all(std::map<std::int64_t, std::string>{{2, "two"}, {3, "THREE"}});
  CHECK(all_of(state.keys()) == std::vector<std::int64_t>{1, 2, 3});
  CHECK(all_of(state.values()) == Texts{"one", "two", "THREE"});
  std::map<std::int64_t, std::string> seen;
  for (const auto& [key, value] : state.entries()) seen[key] = value;
  CHECK(seen == std::map<std::int64_t, std::string>{{1, "one"}, {2, "two"}, {3, "THREE"}});
  state.put_all(std::map<std::int64_t, std::string>());
  keys.set("b");
  CHECK(state.keys().empty());
  state.put_all(std::map<std::int64_t, std::string>());
  CHECK(keys.table.size() == 1);
}

TEST_CASE("keyed state: kinds and types are recorded", "[state]") {
  Keys keys;
  ListState<std::string> list{"l"};
  ReducingState<double, std::plus<>> reducing{"r"};
  AggregatingState<std::int32_t, Mean> aggregating{"a"};
  list.bind(keys.table, "string");
  reducing.bind(keys.table, "string");
  aggregating.bind(keys.table, "string");
  const auto of = [](std::string name, std::string kind, std::string value_type) {
    return StateDescription{.name = std::move(name),
                            .kind = std::move(kind),
                            .key_type = "string",
                            .namespace_type = "void",
                            .value_type = std::move(value_type)};
  };
  CHECK(keys.table.descriptions() ==
        std::vector<StateDescription>{of("l", "list", "list<string>"),
                                      of("r", "reducing", "float64"),
                                      of("a", "aggregating", "(int64,int64)")});
}

TEST_CASE("keyed state: two states of one operator can't have one name", "[state]") {
  Keys keys;
  ListState<std::string> list{"same"};
  ReducingState<double, std::plus<>> reducing{"same"};
  list.bind(keys.table, "string");
  CHECK_THROWS_AS(reducing.bind(keys.table, "string"), ErrorException);
}

/// All kinds among the members of a function.
struct PlainFunction {
  ValueState<std::int64_t> value{"value"};
  ListState<std::string> list{"list"};
  MapState<std::string, double> map{"map"};
  ReducingState<std::int64_t> reducing{"reducing", larger};
  AggregatingState<std::int32_t, Mean> aggregating{"aggregating"};
  std::int64_t setting = 7;
};

TEST_CASE("keyed state: a plain struct may have members of every kind", "[state]") {
  Keys keys;
  PlainFunction function;
  bind_states(function, keys.table, "string");
  CHECK(keys.table.descriptions().size() == 5);
  keys.set("a");
  function.reducing.add(3);
  function.aggregating.add(4);
  CHECK(*function.reducing.get() == 3);
  CHECK(function.aggregating.get() == 4);
}

/// An aggregation whose first value can't be taken.
struct Refusing {
  using Accumulator = std::string;
  Accumulator create() const { return {}; }
  void add(Accumulator&, std::int32_t) const { throw std::runtime_error("refused"); }
};

TEST_CASE("keyed state: what a function threw leaves the key without state", "[state]") {
  Keys keys;
  AggregatingState<std::int32_t, Refusing> state{"state"};
  state.bind(keys.table, "string");
  keys.set("a");
  CHECK_THROWS_AS(state.add(1), std::runtime_error);
  CHECK(state.get() == std::nullopt);
  CHECK(keys.table.size() == 0);
}

}  // namespace
}  // namespace streamrun
