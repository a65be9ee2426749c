#include <streamrun/state/keyed_state.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "saved_state.h"
#include "set_clock.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using UpdateType = StateTtlConfig::UpdateType;
using Visibility = StateTtlConfig::Visibility;

constexpr StateTtlConfig kTenMillis{.ttl = 10ms};

/// The sum of what was added.
struct Sum {
  using Accumulator = std::int64_t;
  Accumulator create() const { return 0; }
  void add(Accumulator& sum, std::int64_t value) const { sum += value; }
};

/// A state of every kind with one configuration, and the time.
struct Kinds {
  explicit Kinds(const StateTtlConfig& config, std::int64_t time = SetClock().milliseconds)
      : value("value", config),
        list("list", config),
        map("map", config),
        reducing("reducing", {}, config),
        aggregating("aggregating", {}, config) {
    clock.milliseconds = time;
    bind_states(*this, table, "int64");
    table.use_clock(clock);
  }
  auto states() { return std::tie(value, list, map, reducing, aggregating); }
  void set(std::int64_t key) { table.set_current(key, key_hash_of<std::int64_t>(key)); }
  void pass(std::int64_t milliseconds) {
    clock.milliseconds += milliseconds;
    table.begin_batch();
  }
  std::vector<std::string> all_of_list() const {
    std::vector<std::string> all;
    for (const std::string& each : list.get()) all.push_back(each);
    return all;
  }
  std::vector<std::int32_t> all_keys() const {
    std::vector<std::int32_t> all;
    for (const std::int32_t key : map.keys()) all.push_back(key);
    return all;
  }

  SetClock clock;
  KeyedTable<std::int64_t> table{128, {0, 127}};
  ValueState<std::int64_t> value;
  ListState<std::string> list;
  MapState<std::int32_t, std::string> map;
  ReducingState<std::int64_t, std::plus<>> reducing;
  AggregatingState<std::int64_t, Sum> aggregating;
};

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int32_t>;

TEST_CASE("state ttl: a value has expired when its time is over, not before", "[state]") {
  Kinds kinds(kTenMillis);
  kinds.set(1);
  kinds.value.update(5);
  kinds.reducing.add(6);
  kinds.aggregating.add(7);
  kinds.pass(9);
  CHECK(*kinds.value.get() == 5);
  CHECK(*kinds.reducing.get() == 6);
  CHECK(kinds.aggregating.get() == 7);
  kinds.pass(1);
  CHECK(kinds.value.get() == nullptr);
  CHECK(kinds.value.value_or(-1) == -1);
  CHECK(kinds.reducing.get() == nullptr);
  CHECK(kinds.aggregating.get() == std::nullopt);
  CHECK(kinds.table.size() == 0);
}

TEST_CASE("state ttl: a write makes it young again, a read does only if it is to", "[state]") {
  const bool on_read = GENERATE(false, true);
  Kinds kinds(
      {.ttl = 10ms,
       .update_type = on_read ? UpdateType::on_read_and_write : UpdateType::on_create_and_write});
  kinds.set(1);
  kinds.value.update(1);
  kinds.pass(6);
  kinds.value.update(2);
  kinds.reducing.add(1);
  kinds.list.add("a");
  kinds.map.put(1, "one");
  kinds.map.put(2, "two");
  kinds.pass(6);
  CHECK(*kinds.value.get() == 2);
  CHECK(*kinds.reducing.get() == 1);
  CHECK(kinds.all_of_list() == Texts{"a"});
  CHECK(*kinds.map.get(1) == "one");
  kinds.pass(6);
  CHECK((kinds.value.get() != nullptr) == on_read);
  CHECK((kinds.reducing.get() != nullptr) == on_read);
  CHECK(kinds.list.get().empty() != on_read);
  CHECK(kinds.all_keys() == (on_read ? Numbers{1} : Numbers{}));
  CHECK(kinds.map.empty() != on_read);
}

TEST_CASE("state ttl: what has expired does not go into a sum", "[state]") {
  Kinds kinds(kTenMillis);
  kinds.set(1);
  kinds.reducing.add(1);
  kinds.aggregating.add(1);
  kinds.pass(5);
  kinds.reducing.add(2);
  kinds.aggregating.add(2);
  kinds.pass(9);
  kinds.reducing.add(4);
  kinds.aggregating.add(4);
  CHECK(*kinds.reducing.get() == 7);
  CHECK(kinds.aggregating.get() == 7);
  kinds.pass(10);
  kinds.reducing.add(8);
  kinds.aggregating.add(8);
  CHECK(*kinds.reducing.get() == 8);
  CHECK(kinds.aggregating.get() == 8);
}

TEST_CASE("state ttl: elements and entries expire one by one", "[state]") {
  Kinds kinds(kTenMillis);
  kinds.set(1);
  kinds.list.add("a");
  kinds.map.put(1, "one");
  kinds.map.put(2, "two");
  kinds.pass(5);
  kinds.list.add_all({"b", "c"});
  kinds.map.put(2, "TWO");
  CHECK(kinds.all_of_list() == Texts{"a", "b", "c"});
  kinds.pass(5);
  CHECK(kinds.all_of_list() == Texts{"b", "c"});
  CHECK(kinds.map.get(1) == nullptr);
  CHECK_FALSE(kinds.map.contains(1));
  CHECK(*kinds.map.get(2) == "TWO");
  CHECK(kinds.all_keys() == Numbers{2});
  kinds.map.remove(1);
  kinds.list.update({"d"});
  kinds.pass(5);
  CHECK(kinds.all_of_list() == Texts{"d"});
  CHECK(kinds.map.empty());
  CHECK(kinds.all_keys().empty());
  kinds.pass(5);
  CHECK(kinds.list.get().empty());
  CHECK(kinds.table.size() == 0);
}

TEST_CASE("state ttl: what has expired may be shown until it is cleaned up", "[state]") {
  Kinds kinds(
      {.ttl = 10ms, .visibility = Visibility::return_expired_if_not_cleaned_up, .cleanup_size = 0});
  kinds.set(1);
  kinds.value.update(1);
  kinds.list.add("a");
  kinds.map.put(1, "one");
  kinds.reducing.add(1);
  kinds.pass(20);
  kinds.list.add("b");
  kinds.reducing.add(2);
  CHECK(*kinds.value.get() == 1);
  CHECK(kinds.all_of_list() == Texts{"a", "b"});
  CHECK(*kinds.map.get(1) == "one");
  CHECK(kinds.all_keys() == Numbers{1});
  CHECK(*kinds.reducing.get() == 3);
  Kinds after(
      {.ttl = 10ms, .visibility = Visibility::return_expired_if_not_cleaned_up, .cleanup_size = 0},
      kinds.clock.milliseconds);
  REQUIRE(restore_saved(after.table, saved(kinds.table)));
  after.set(1);
  CHECK(after.value.get() == nullptr);
  CHECK(after.all_of_list() == Texts{"b"});
  CHECK(after.map.empty());
  CHECK(*after.reducing.get() == 3);
}

TEST_CASE("state ttl: what is never read again goes away", "[state]") {
  Kinds kinds(kTenMillis);
  for (std::int64_t key = 0; key < 1000; ++key) {
    kinds.set(key);
    kinds.value.update(key);
    kinds.list.update({"a", "b"});
    kinds.map.put(1, "one");
    kinds.reducing.add(1);
  }
  kinds.pass(10);
  // Each of these pays for five of the others, and for as many again.
  for (std::int64_t access = 0; access < 1000; ++access) {
    kinds.set(-1);
    kinds.value.update(1);
    kinds.table.begin_batch();
  }
  CHECK(kinds.table.size() == 1);
}

TEST_CASE("state ttl: without clean-up it stays until it is read or saved", "[state]") {
  Kinds kinds({.ttl = 10ms, .cleanup_size = 0});
  for (std::int64_t key = 0; key < 100; ++key) {
    kinds.set(key);
    kinds.value.update(key);
  }
  for (int batch = 0; batch < 100; ++batch) kinds.pass(10);
  CHECK(kinds.table.size() == 100);
  kinds.set(5);
  kinds.value.update(6);
  CHECK(saved(kinds.table).entries == 1);
}

TEST_CASE("state ttl: a clean-up keeps the live parts, and other states of a key", "[state]") {
  Kinds kinds(kTenMillis);
  for (std::int64_t key = 0; key < 50; ++key) {
    kinds.set(key);
    kinds.list.add("old");
    kinds.map.put(1, "old");
    kinds.value.update(1);
  }
  kinds.pass(6);
  for (std::int64_t key = 0; key < 50; ++key) {
    kinds.set(key);
    kinds.list.add("new");
    kinds.map.put(2, "new");
  }
  kinds.pass(6);
  for (int batch = 0; batch < 200; ++batch) {
    kinds.set(-1);
    kinds.value.update(1);
    kinds.table.begin_batch();
  }
  CHECK(kinds.table.size() == 51);
  const KeyedStateHandle handle = saved(kinds.table);
  Kinds after(kTenMillis, kinds.clock.milliseconds);
  REQUIRE(restore_saved(after.table, handle));
  for (std::int64_t key = 0; key < 50; ++key) {
    after.set(key);
    CHECK(after.value.get() == nullptr);
    CHECK(after.all_of_list() == Texts{"new"});
    CHECK(after.all_keys() == Numbers{2});
  }
}

/// Rows that are copied and encoded elsewhere, as all of them is trivial.
TEST_CASE("state ttl: a snapshot leaves out what has expired, state by state", "[state]") {
  SetClock clock;
  KeyedTable<std::int64_t> table(128, {0, 127});
  ValueState<std::int64_t> brief{"brief", {.ttl = 10ms, .cleanup_size = 0}};
  ValueState<std::int64_t> longer{"longer", {.ttl = 20ms, .cleanup_size = 0}};
  ValueState<std::int64_t> forever{"forever"};
  const auto bind_to = [&](KeyedTable<std::int64_t>& to) {
    brief.bind(to, "int64");
    longer.bind(to, "int64");
    forever.bind(to, "int64");
    to.use_clock(clock);
  };
  bind_to(table);
  for (std::int64_t key = 0; key < 300; ++key) {
    table.set_current(key, key_hash_of<std::int64_t>(key));
    if (key % 2 == 0) brief.update(key);
    if (key % 3 == 0) longer.update(key);
    if (key % 5 == 0) forever.update(key);
  }
  clock.milliseconds += 10;
  table.begin_batch();
  const KeyedStateHandle handle = saved(table);
  CHECK(handle.entries == 140);
  clock.milliseconds -= 10;
  KeyedTable<std::int64_t> after(128, {0, 127});
  bind_to(after);
  REQUIRE(restore_saved(after, handle));
  for (std::int64_t key = 0; key < 300; ++key) {
    after.set_current(key, key_hash_of<std::int64_t>(key));
    CHECK(brief.get() == nullptr);
    CHECK(longer.value_or(-1) == (key % 3 == 0 ? key : -1));
    CHECK(forever.value_or(-1) == (key % 5 == 0 ? key : -1));
  }
}

TEST_CASE("state ttl: time goes on while a job is down", "[state]") {
  Kinds before(kTenMillis);
  before.set(1);
  before.value.update(1);
  before.pass(5);
  before.list.add("a");
  const KeyedStateHandle handle = saved(before.table);
  Kinds after(kTenMillis, before.clock.milliseconds + 5);
  REQUIRE(restore_saved(after.table, handle));
  after.set(1);
  CHECK(after.value.get() == nullptr);
  CHECK(after.all_of_list() == Texts{"a"});
  after.pass(5);
  CHECK(after.list.get().empty());
}

TEST_CASE("state ttl: a job may begin and cease to give a state a time to live", "[state]") {
  Kinds without{StateTtlConfig()};
  without.set(1);
  without.value.update(1);
  without.list.add("a");
  without.map.put(1, "one");
  without.reducing.add(2);
  without.aggregating.add(3);
  Kinds with(kTenMillis, without.clock.milliseconds + 100);
  REQUIRE(restore_saved(with.table, saved(without.table)));
  with.pass(9);
  with.set(1);
  CHECK(*with.value.get() == 1);
  CHECK(with.all_of_list() == Texts{"a"});
  CHECK(*with.map.get(1) == "one");
  CHECK(*with.reducing.get() == 2);
  CHECK(with.aggregating.get() == 3);
  const KeyedStateHandle handle = saved(with.table);
  with.pass(1);
  CHECK(with.value.get() == nullptr);
  CHECK(with.list.get().empty());
  CHECK(with.map.empty());
  Kinds again{StateTtlConfig()};
  REQUIRE(restore_saved(again.table, handle));
  again.pass(100);
  again.set(1);
  CHECK(*again.value.get() == 1);
  CHECK(again.all_of_list() == Texts{"a"});
  CHECK(*again.map.get(1) == "one");
  CHECK(*again.reducing.get() == 2);
  CHECK(again.aggregating.get() == 3);
}

TEST_CASE("state ttl: is recorded as part of the type", "[state]") {
  const Kinds kinds(kTenMillis);
  std::vector<std::string> types;
  for (const StateDescription& state : kinds.table.descriptions())
    types.push_back(state.kind + " " + state.value_type);
  CHECK(types == Texts{"value ttl<int64>", "list list<ttl<string>>", "map map<int32,ttl<string>>",
                       "reducing ttl<int64>", "aggregating ttl<int64>"});
  const Kinds disabled({.ttl = 10ms, .update_type = UpdateType::disabled});
  CHECK(disabled.table.descriptions()[0].value_type == "int64");
}

TEST_CASE("state ttl: less than a millisecond is E-USAGE", "[state]") {
  CHECK_THROWS_AS((ValueState<int>{"x", StateTtlConfig{.ttl = 999us}}), ErrorException);
  CHECK_THROWS_AS((ValueState<int>{"x", StateTtlConfig{.ttl = -1h}}), ErrorException);
  CHECK_NOTHROW(ValueState<int>{"x", StateTtlConfig{.ttl = 1ms}});
}

}  // namespace
}  // namespace streamrun
