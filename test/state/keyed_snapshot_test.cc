#include <streamrun/state/keyed_table.h>

#include <cstdint>
#include <list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "modelled_table.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using PairKey = std::pair<std::string, std::int32_t>;
using PairNumber = Types<PairKey, std::int32_t>;

template <Key K, typename Note>
void require_exact(const ModelledSnapshot<K, Note>& snapshot) {
  REQUIRE(snapshot.well_formed);
  REQUIRE((snapshot.seen.empty() ||
           snapshot.copied == (!std::is_same_v<Note, std::string> && !std::is_same_v<K, PairKey>)));
  REQUIRE(snapshot.seen == snapshot.expected);
}

/// Changes and up to `most` snapshots at once, whose cursors advance by random slices.
template <Key K, typename Note>
void change_under_snapshots(std::uint64_t seed, int max_parallelism, std::size_t most,
                            std::size_t slice) {
  const KeyGroupRange range{0, max_parallelism - 1};
  SeededRandom random(seed);
  ModelledTable<K, Note> table(max_parallelism, range);
  const auto keys = some_keys<K>(1500, max_parallelism, range);
  std::list<ModelledSnapshot<K, Note>> running;
  std::size_t done = 0;
  constexpr std::size_t kSteps = 12000;
  for (std::size_t step = 1; step <= kSteps; ++step) {
    table.change(keys[random.below(1 + step * keys.size() / kSteps)], random);
    if (running.size() < most && random.below(100) == 0)
      running.emplace_back(table, max_parallelism);
    for (auto it = running.begin(); it != running.end();) {
      if (random.below(8) == 0) it->read_some(random.below(3));
      if (random.below(4) != 0 || !it->advance(1 + random.below(slice))) {
        ++it;
        continue;
      }
      require_exact(*it);
      it->end();
      it = running.erase(it);
      ++done;
    }
  }
  for (auto& snapshot : running) {
    while (!snapshot.advance(slice)) {
    }
    require_exact(snapshot);
  }
  CHECK(done > 3);
  CHECK(table.agrees_on(keys));
}

TEMPLATE_TEST_CASE(
    "keyed snapshot: is the table as it was when it started, whatever changes later (S1, S7)",
    "[state]", NumberText, NumberNumber, TextText, TextNumber, PairNumber) {
  const int max_parallelism = GENERATE(1, 2, 7, 128);
  const std::uint64_t seed = GENERATE(1, 2);
  INFO("max parallelism " << max_parallelism << ", seed " << seed);
  change_under_snapshots<typename TestType::KeyType, typename TestType::Note>(seed, max_parallelism,
                                                                              1, 60);
}

TEMPLATE_TEST_CASE("keyed snapshot: several at once are each exact", "[state]", NumberText,
                   TextText, TextNumber) {
  const int max_parallelism = GENERATE(1, 7, 128);
  const std::uint64_t seed = GENERATE(3, 4);
  INFO("max parallelism " << max_parallelism << ", seed " << seed);
  change_under_snapshots<typename TestType::KeyType, typename TestType::Note>(seed, max_parallelism,
                                                                              4, 60);
}

TEST_CASE("keyed snapshot: is exact with the most key groups that there can be", "[state]") {
  change_under_snapshots<std::string, std::string>(5, 32768, 3, 4000);
  change_under_snapshots<std::string, std::int32_t>(6, 32768, 3, 4000);
}

TEMPLATE_TEST_CASE("keyed snapshot: growth under a cursor in mid-table loses and doubles nothing",
                   "[state]", std::string, std::int32_t) {
  ModelledTable<std::string, TestType> table(1, {0, 0});
  SeededRandom random(6);
  const auto keys = some_keys<std::string>(4000, 1, {0, 0});
  for (std::size_t i = 0; i < 40; ++i) table.change(keys[i], random);
  ModelledSnapshot<std::string, TestType> snapshot(table, 1);
  ModelledSnapshot<std::string, TestType> untouched(table, 1);
  REQUIRE_FALSE(snapshot.advance(20));
  for (const std::string& key : keys) table.change(key, random);
  while (!snapshot.advance(20)) {
  }
  require_exact(snapshot);
  while (!untouched.advance(1)) {
  }
  require_exact(untouched);
}

TEST_CASE("keyed snapshot: of nothing is nothing", "[state]") {
  ModelledTable<std::string> table(128, {5, 4});
  ModelledSnapshot<std::string> of_no_groups(table, 128);
  CHECK(of_no_groups.advance(1));
  CHECK(of_no_groups.seen.empty());

  ModelledTable<std::string> empty(128, {0, 127});
  ModelledSnapshot<std::string> of_no_rows(empty, 128);
  SeededRandom random(7);
  for (const std::string& key : some_keys<std::string>(500, 128, {0, 127}))
    empty.change(key, random);
  while (!of_no_rows.advance(10)) {
  }
  CHECK(of_no_rows.seen.empty());
}

TEST_CASE("keyed snapshot: one that is given up half-way disturbs no other", "[state]") {
  ModelledTable<std::int64_t> table(7, {0, 6});
  SeededRandom random(8);
  const auto keys = some_keys<std::int64_t>(600, 7, {0, 6});
  for (const std::int64_t key : keys) table.change(key, random);
  ModelledSnapshot<std::int64_t> given_up(table, 7);
  for (const std::int64_t key : keys) table.change(key, random);
  ModelledSnapshot<std::int64_t> kept(table, 7);
  REQUIRE_FALSE(given_up.advance(50));
  given_up.end();
  for (const std::int64_t key : keys) table.change(key, random);
  while (!kept.advance(30)) {
  }
  require_exact(kept);
}

TEST_CASE("keyed snapshot: large rows leave in blocks of bounded size", "[state]") {
  KeyedTable<std::int64_t> table(1, {0, 0});
  ValueState<std::string> text{"text"};
  text.bind(table, "int64");
  for (std::int64_t key = 0; key < 1000; ++key) {
    table.set_current(key, key_hash_of<std::int64_t>(key));
    text.update(std::string(2000, 'x'));
  }
  std::size_t blocks = 0;
  std::size_t rows_seen = 0;
  TableSnapshot& snapshot = table.start_snapshot([&](const SnapshotBlock& block) {
    ++blocks;
    rows_seen += block.rows;
    CHECK(block.bytes.size() < 200'000);
    return StateBytes();
  });
  while (!table.advance(snapshot, 100)) {
  }
  CHECK(rows_seen == 1000);
  CHECK(blocks >= 10);
}

TEST_CASE("keyed snapshot: what is lent can be read after its table is gone", "[state]") {
  std::vector<SnapshotBlock> blocks;
  {
    ModelledTable<std::int64_t, std::int32_t> table(1, {0, 0});
    SeededRandom random(10);
    for (const std::int64_t key : some_keys<std::int64_t>(3000, 1, {0, 0})) {
      table.table.set_current(key, key_hash_of<std::int64_t>(key));
      table.change(key, random);
    }
    TableSnapshot& snapshot = table.table.start_snapshot([&](SnapshotBlock block) {
      blocks.push_back(std::move(block));
      return StateBytes();
    });
    while (!table.table.advance(snapshot, 100)) {
    }
  }
  std::uint32_t rows = 0;
  for (SnapshotBlock& block : blocks) {
    StateBytes scratch;
    block.encode(scratch);
    rows += block.rows;
  }
  CHECK(blocks.size() > 10);
  CHECK(rows > 1000);
}

}  // namespace
}  // namespace streamrun
