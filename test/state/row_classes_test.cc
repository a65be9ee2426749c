#include <streamrun/state/keyed_table.h>

#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "modelled_table.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

template <typename TestType>
using TableOf = ModelledTable<typename TestType::KeyType, typename TestType::Note>;
template <typename TestType>
using SnapshotOf = ModelledSnapshot<typename TestType::KeyType, typename TestType::Note>;

std::uint64_t rows_of_all(const KeyedTableBase& table) {
  std::uint64_t rows = 0;
  for (const std::int64_t count : table.classes().rows) rows += static_cast<std::uint64_t>(count);
  return rows;
}

/// From now on rows that change or are made belong to this class.
void begin_class(KeyedTableBase& table, RowClass row_class) {
  table.classes().after_change.fill(row_class);
  table.classes().of_new = row_class;
}

/// What is left of `content` after what an increment says.
template <typename K, typename Note>
void take_over(Model<K, Note>& content, const ModelledSnapshot<K, Note>& increment) {
  for (const auto& [key, row] : increment.seen) content[key] = row;
  for (const K& key : increment.removed) content.erase(key);
}

TEMPLATE_TEST_CASE(
    "row classes: a snapshot and the classes of the changes since are the next snapshot (S7)",
    "[state]", NumberText, NumberNumber, TextText, TextNumber) {
  using K = typename TestType::KeyType;
  const int max_parallelism = GENERATE(1, 7, 128);
  INFO("max parallelism " << max_parallelism);
  const KeyGroupRange range{0, max_parallelism - 1};
  SeededRandom random(11);
  TableOf<TestType> table(max_parallelism, range);
  table.table.track_classes();
  const auto keys = some_keys<K>(4000, max_parallelism, range);
  for (std::size_t i = 0; i < 2000; ++i) table.change(keys[i], random);
  table.table.classes().keeps_removed.fill(true);

  auto content = table.model;
  std::set<K> changed;
  for (int interval = 1; interval <= 40; ++interval) {
    RowSelection selection{};
    selection[static_cast<RowClass>(interval)] = Take::all;
    if (interval == 1) content.clear();
    SnapshotOf<TestType> snapshot(table, max_parallelism, &selection);
    const std::set<K> expected_changes = std::exchange(changed, {});
    begin_class(table.table, static_cast<RowClass>(interval + 1));
    bool done = false;
    // The keys in use grow, so that tables grow between snapshots and under them.
    for (std::size_t step = 0; step < 200 || !done; ++step) {
      const K& key = keys[random.below(2000 + static_cast<std::uint64_t>(50 * interval))];
      table.change(key, random);
      changed.insert(key);
      if (!done && random.below(4) == 0) done = snapshot.advance(1 + random.below(300));
    }
    snapshot.end();
    REQUIRE(snapshot.well_formed);
    take_over(content, snapshot);
    REQUIRE(content == snapshot.expected);
    if (interval == 1) continue;
    for (const auto& [key, row] : snapshot.seen) REQUIRE(expected_changes.contains(key));
    for (const K& key : snapshot.removed) REQUIRE(expected_changes.contains(key));
  }
  CHECK(table.agrees_on(keys));
}

TEST_CASE("row classes: removed rows stay until they are tombstones, then fall away", "[state]") {
  ModelledTable<std::int64_t, std::int32_t> table(1, {0, 0});
  table.table.track_classes();
  ValueState<std::int64_t> number{"number"};
  number.bind(table.table, "int64");
  const auto set = [&](std::int64_t key) {
    table.table.set_current(key, key_hash_of<std::int64_t>(key));
  };
  RowClasses& classes = table.table.classes();
  classes.keeps_removed[1] = true;
  for (std::int64_t key = 0; key < 1000; ++key) {
    set(key);
    number.update(key);
    number.clear();
  }
  CHECK(table.table.size() == 0);
  CHECK(classes.rows[1] == 1000);
  CHECK_FALSE(classes.has_dropped[1]);

  RowSelection selection{};
  selection[1] = Take::all;
  ModelledSnapshot<std::int64_t, std::int32_t> snapshot(table, 1, &selection);
  begin_class(table.table, 2);
  classes.keeps_removed[1] = false;  // the snapshot, which has not got to them, still keeps them
  for (std::int64_t key = 10000; key < 12000; ++key) {
    set(key);
    number.update(key);
  }
  while (!snapshot.advance(100)) {
  }
  snapshot.end();
  CHECK(snapshot.removed.size() == 1000);
  for (std::int64_t key = 12000; key < 20000; ++key) {
    set(key);
    number.update(key);
  }
  CHECK(classes.rows[1] == 0);
  CHECK(classes.has_dropped[1]);
  CHECK(classes.rows[2] == 10000);
}

TEST_CASE("row classes: a full snapshot gives what it passes other classes", "[state]") {
  ModelledTable<std::string> table(7, {0, 6});
  table.table.track_classes();
  SeededRandom random(12);
  const auto keys = some_keys<std::string>(6000, 7, {0, 6});
  for (std::size_t i = 0; i < 3000; ++i) table.change(keys[i], random);
  ModelledSnapshot<std::string> snapshot(table, 7);
  begin_class(table.table, 2);
  PerClass<RowClass> assigned{};
  assigned[2] = 2;
  for (RowClass part = 10;; ++part) {
    for (RowClass i = 10; i < part; ++i) assigned[i] = i;
    assigned[1] = part;
    assigned[part] = part;
    table.table.assign_classes(snapshot.in_table(), assigned);
    if (snapshot.advance(700)) break;
    for (int i = 0; i < 100; ++i) table.change(keys[random.below(keys.size())], random);
  }
  snapshot.end();
  CHECK(snapshot.seen == snapshot.expected);
  const auto& rows = table.table.classes().rows;
  CHECK(rows[1] == 0);
  CHECK(rows[2] > 0);
  CHECK(rows[10] > 0);
  CHECK(rows[12] > 0);
  CHECK(rows_of_all(table.table) >= table.table.size());
}

TEST_CASE("row classes: classes that are merged become one, whatever changes and grows meanwhile",
          "[state]") {
  using Table = ModelledTable<std::int64_t>;
  Table table(7, {0, 6});
  table.table.track_classes();
  SeededRandom random(13);
  const auto keys = some_keys<std::int64_t>(9000, 7, {0, 6});
  for (RowClass row_class = 1; row_class <= 20; ++row_class) {
    ModelledSnapshot<std::int64_t> raises_the_epoch(table, 7);
    begin_class(table.table, row_class);
    for (int i = 0; i < 200; ++i) table.change(keys[random.below(3000)], random);
    raises_the_epoch.end();
  }
  PerClass<RowClass> to{};
  for (std::size_t i = 0; i < kRowClasses; ++i) to[i] = static_cast<RowClass>(i);
  for (const RowClass merged : {3, 4, 5, 9}) to[static_cast<std::size_t>(merged)] = 7;
  const std::uint64_t before = rows_of_all(table.table);
  ModelledSnapshot<std::int64_t> raises_the_epoch(table, 7);
  begin_class(table.table, 21);
  table.table.start_merge(to);
  CHECK(table.table.is_merging(7));
  CHECK(table.table.is_merging(9));
  CHECK_FALSE(table.table.is_merging(8));
  std::size_t next = 3000;
  while (!table.table.advance_merge(1 + random.below(200))) {
    for (int i = 0; i < 30; ++i) table.change(keys[next++ % keys.size()], random);
  }
  raises_the_epoch.end();
  const auto& rows = table.table.classes().rows;
  for (const RowClass merged : {3, 4, 5, 9}) CHECK(rows[static_cast<std::size_t>(merged)] == 0);
  CHECK(rows[7] > 100);
  CHECK(rows[21] > 1000);
  CHECK(rows_of_all(table.table) > before);
  // What the bytes beside the slots say is what was counted.
  RowSelection selection{};
  selection[7] = Take::all;
  ModelledSnapshot<std::int64_t> snapshot(table, 7, &selection);
  while (!snapshot.advance(1000)) {
  }
  CHECK(snapshot.seen.size() + snapshot.removed.size() == static_cast<std::size_t>(rows[7]));
}

}  // namespace
}  // namespace streamrun
