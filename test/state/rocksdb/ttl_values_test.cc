#include "ttl_values.h"

#include <streamrun/state/keyed_state.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>
#include <rocksdb/db.h>

#include "database.h"
#include "keyed_subtasks.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

template <typename V>
std::string serialized(const V& value) {
  std::string text;
  ByteWriter out(text);
  TypeSerializer<V>::write(out, value);
  return text;
}

TEST_CASE("ttl values: a part that has expired is left out, and damage is left alone", "[state]") {
  using Map = std::map<std::int32_t, Timed<std::string>>;
  const ValueOperations operations = operations_of_timed_parts<Map>(10);
  const std::string value = serialized(Map{{1, {"old", 100}}, {2, {"new", 200}}});
  std::string rewritten;
  CHECK(live_part(operations, 99, value, rewritten) == Liveness::all);
  CHECK(live_part(operations, 100, value, rewritten) == Liveness::some);
  CHECK(rewritten == serialized(Map{{2, {"new", 200}}}));
  CHECK(live_part(operations, 200, value, rewritten) == Liveness::none);
  CHECK(live_part(operations, 200, value.substr(1), rewritten) == Liveness::all);
}

TEST_CASE("ttl values: a compaction drops what has expired", "[state]") {
  const TemporaryFolder folder;
  SetClock clock;
  KeyedTable<std::int64_t> table(1, {0, 0});
  ValueState<std::string> value("value", {.ttl = 1s});
  MapState<std::int32_t, std::string> map("map", {.ttl = 1s});
  ValueState<std::string> forever("forever");
  value.bind(table, "int64");
  map.bind(table, "int64");
  forever.bind(table, "int64");
  const auto database =
      Database::open(folder.path() + "/db", table, RocksDbSettings(), {}, clock).value();
  const std::int64_t now = clock.milliseconds;
  const auto put = [&](int state, const std::string& key, const std::string& bytes) {
    database->check(
        database->db().Put(rocksdb::WriteOptions(), database->family(state), key, bytes));
  };
  put(0, "a", serialized(Timed<std::string>{"old", now - 500}));
  put(0, "b", serialized(Timed<std::string>{"new", now}));
  using Map = std::map<std::int32_t, Timed<std::string>>;
  put(1, "a", serialized(Map{{1, {"old", now - 500}}, {2, {"new", now}}}));
  put(2, "a", serialized(std::string("stays")));
  clock.milliseconds += 500;
  rocksdb::CompactRangeOptions all;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (int state = 0; state < 3; ++state)
    database->check(database->db().CompactRange(all, database->family(state), nullptr, nullptr));
  const auto get = [&](int state, const std::string& key) {
    std::string found;
    const auto status =
        database->db().Get(rocksdb::ReadOptions(), database->family(state), key, &found);
    return status.ok() ? found : "nothing";
  };
  CHECK(get(0, "a") == "nothing");
  CHECK(get(0, "b") == serialized(Timed<std::string>{"new", now}));
  CHECK(get(1, "a") == serialized(Map{{2, {"new", now}}}));
  CHECK(get(2, "a") == serialized(std::string("stays")));
}

}  // namespace
}  // namespace streamrun
