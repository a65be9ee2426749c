#include <streamrun/state/keyed_state.h>

#include <cstdint>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

struct PlainFunction {
  ValueState<std::int64_t> count{"count"};
  std::int64_t setting = 7;
  MapState<std::string, double> prices{"prices"};
};

class FunctionWithStates {
 public:
  auto states() { return std::tie(last_); }
  ValueState<std::string> last_{"last"};

 private:
  std::string hidden_;
};

void set_key(KeyedTable<std::string>& table, const std::string& key) {
  table.set_current(key, key_hash_of<std::string>(key));
}

TEST_CASE("value state: each key has a value of its own, none at first", "[state]") {
  KeyedTable<std::string> table(128, {0, 127});
  ValueState<std::string> state{"text"};
  state.bind(table, "string");
  set_key(table, "a");
  CHECK(state.get() == nullptr);
  CHECK(state.value_or("none") == "none");
  CHECK(table.size() == 0);
  state.update("first");
  state.update("second");
  set_key(table, "b");
  CHECK(state.get() == nullptr);
  set_key(table, "a");
  REQUIRE(state.get() != nullptr);
  CHECK(*state.get() == "second");
  CHECK(table.size() == 1);
}

TEST_CASE("value state: a cleared value is gone, and clearing again does nothing", "[state]") {
  KeyedTable<std::string> table(128, {0, 127});
  ValueState<std::string> state{"text"};
  ValueState<std::int64_t> other{"number"};
  state.bind(table, "string");
  other.bind(table, "string");
  set_key(table, "a");
  state.clear();
  state.update(std::string(100, 'x'));
  other.update(5);
  state.clear();
  state.clear();
  CHECK(state.get() == nullptr);
  CHECK(other.value_or(0) == 5);
  CHECK(table.size() == 1);
  other.clear();
  CHECK(table.size() == 0);
  state.update("again");
  CHECK(state.value_or("") == "again");
}

TEST_CASE("map state: puts, replaces and removes entries of the current key", "[state]") {
  KeyedTable<std::string> table(128, {0, 127});
  MapState<std::string, std::int64_t> state{"map"};
  state.bind(table, "string");
  set_key(table, "a");
  CHECK(state.empty());
  CHECK(state.get("x") == nullptr);
  state.remove("x");
  CHECK(table.size() == 0);
  state.put("y", 1);
  state.put("x", 2);
  state.put("y", 3);
  CHECK(*state.get("x") == 2);
  CHECK(*state.get("y") == 3);
  set_key(table, "b");
  CHECK_FALSE(state.contains("x"));
  set_key(table, "a");
  CHECK(state.contains("x"));
  state.remove("x");
  CHECK_FALSE(state.contains("x"));
}

TEST_CASE("map state: without its last entry the key has no state", "[state]") {
  KeyedTable<std::string> table(128, {0, 127});
  MapState<std::int64_t, bool> state{"map"};
  state.bind(table, "string");
  set_key(table, "a");
  state.put(1, true);
  state.put(2, true);
  state.remove(1);
  CHECK(table.size() == 1);
  state.remove(2);
  CHECK(table.size() == 0);
  state.put(3, true);
  state.clear();
  CHECK(state.empty());
  CHECK(table.size() == 0);
}

TEST_CASE("bind states: finds the states of a plain struct, and those that a function names",
          "[state]") {
  KeyedTable<std::string> table(128, {0, 127});
  PlainFunction plain;
  bind_states(plain, table, "string");
  FunctionWithStates named;
  bind_states(named, table, "string");
  const auto function_without_state = [](int) {};
  auto copy = function_without_state;
  bind_states(copy, table, "string");
  REQUIRE(table.descriptions().size() == 3);
  CHECK(table.descriptions()[0] == StateDescription{.name = "count",
                                                    .kind = "value",
                                                    .key_type = "string",
                                                    .namespace_type = "void",
                                                    .value_type = "int64"});
  CHECK(table.descriptions()[1] == StateDescription{.name = "prices",
                                                    .kind = "map",
                                                    .key_type = "string",
                                                    .namespace_type = "void",
                                                    .value_type = "map<string,float64>"});
  CHECK(table.descriptions()[2].name == "last");
  set_key(table, "k");
  plain.count.update(1);
  named.last_.update("x");
  CHECK(plain.count.value_or(0) == 1);
  CHECK(named.last_.value_or("") == "x");
}

}  // namespace
}  // namespace streamrun
