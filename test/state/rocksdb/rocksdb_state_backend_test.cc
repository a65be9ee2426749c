#include <streamrun/state/rocksdb/rocksdb_state_backend.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "keyed_subtasks.h"

namespace streamrun {
namespace {

namespace fs = std::filesystem;

using Subtasks = KeyedSubtasks<std::int64_t>;

void fill(Subtasks& subtasks, std::int64_t keys, const std::string& text = "value") {
  for (std::int64_t key = 0; key < keys; ++key) {
    if (key % 100 == 0) subtasks.begin_batch();
    EveryKind& states = subtasks.at(key);
    states.value.update(text + std::to_string(key));
    if (key % 3 == 0) states.list.add(key);
  }
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("rocksdb state backend: a table holds a part of many rows, and finds all of them",
          "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 2);
  constexpr std::int64_t kKeys = 5000;
  fill(subtasks, kKeys);
  subtasks.begin_batch();
  CHECK(subtasks.rows_held() < 1500);
  for (std::int64_t key = 0; key < kKeys; ++key) {
    if (key % 100 == 0) subtasks.begin_batch();
    EveryKind& states = subtasks.at(key);
    REQUIRE(states.value.get() != nullptr);
    REQUIRE(*states.value.get() == "value" + std::to_string(key));
    REQUIRE(states.list.get().empty() == (key % 3 != 0));
  }
  CHECK(subtasks.at(kKeys).value.get() == nullptr);
}

TEST_CASE("rocksdb state backend: a snapshot is what there was at its beginning", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 2000, "first");
  std::vector<std::optional<Result<KeyedStateHandle>>> results(2);
  const auto begin = [&](std::size_t i) {
    subtasks.backend(0).snapshot(
        i + 1, SharingFilesStrategy::no_sharing, world.maker(0), false,
        [&results, i](Result<KeyedStateHandle> handle) { results[i] = std::move(handle); });
  };
  begin(0);
  fill(subtasks, 2000, "second");
  begin(1);
  for (std::int64_t key = 0; key < 2000; ++key) subtasks.at(key).value.clear();
  world.settle(subtasks.backend(0));
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(results[i]);
    REQUIRE(*results[i]);
    CHECK((**results[i]).entries == 2000);
    Subtasks restored(world, i == 0 ? nullptr : world.rocksdb.get(), {}, 1,
                      {BackendWorld::with_paths(**results[i])});
    for (std::int64_t key = 0; key < 2000; ++key) {
      const std::string* const value = restored.at(key).value.get();
      REQUIRE(value != nullptr);
      REQUIRE(*value == (i == 0 ? "first" : "second") + std::to_string(key));
    }
  }
}

TEST_CASE("rocksdb state backend: an aborted snapshot leaves no file, whenever that is",
          "[state]") {
  for (int steps = 0; steps < 12; ++steps) {
    INFO(steps << " steps");
    BackendWorld world;
    Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
    fill(subtasks, 3000, std::string(500, 'x'));
    std::optional<Result<KeyedStateHandle>> result;
    subtasks.backend(0).snapshot(
        1, SharingFilesStrategy::no_sharing, world.maker(0), false,
        [&](Result<KeyedStateHandle> handle) { result = std::move(handle); });
    for (int step = 0; step < steps; ++step) {
      if (!world.io.deliver()) world.io.run_job();
      subtasks.backend(0).advance_snapshots();
    }
    subtasks.backend(0).abort(1);
    world.settle(subtasks.backend(0));
    REQUIRE(result);
    if (!*result) {
      CHECK(result->error().code == ErrorCode::cancelled);
      CHECK(world.files.files().empty());
    }
    REQUIRE(world.snapshot(subtasks.backend(0), 2, 0));
  }
}

TEST_CASE("rocksdb state backend: a failing store fails the snapshot, and the next one works (D5)",
          "[state]") {
  for (std::uint64_t step = 1; step <= 4; ++step) {
    BackendWorld world;
    Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
    fill(subtasks, 300);
    world.files.fail_call(world.files.steps() + step,
                          {.code = ErrorCode::store_io, .message = "broken"});
    const auto failed = world.snapshot(subtasks.backend(0), 1, 0);
    INFO(step);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::store_io);
    const auto next = world.snapshot(subtasks.backend(0), 2, 0);
    REQUIRE(next);
    CHECK(next->entries == 300);
  }
}

TEST_CASE("rocksdb state backend: damaged state is E-STATE-CORRUPT", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 50);
  const KeyedStateHandle good =
      world.snapshot(subtasks.backend(0), 1, BackendWorld::kAllInline).value();
  const std::string bytes = good.pieces.front().inline_bytes;
  for (std::size_t at = 0; at < bytes.size(); at += 41) {
    KeyedStateHandle damaged = good;
    damaged.pieces.front().inline_bytes[at] ^= 0x20;
    Subtasks fresh(world, world.rocksdb.get(), {}, 1);
    const auto restored = fresh.backend(0).restore({damaged}, &world.files);
    INFO(at);
    REQUIRE_FALSE(restored);
    CHECK(restored.error().code == ErrorCode::state_corrupt);
  }
}

TEST_CASE("rocksdb state backend: states that do not fit the job are E-JOB-MISMATCH", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, nullptr, {}, 1);
  fill(subtasks, 10);
  const KeyedStateHandle handle = world.snapshot(subtasks.backend(0), 1, 0).value();
  KeyedTable<std::int64_t> table(8, {0, 7});
  ValueState<std::int64_t> other("value");
  other.bind(table, "int64");
  const auto backend = world.make(world.rocksdb.get(), table);
  const auto restored = backend->restore({handle}, &world.files);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::job_mismatch);
}

/// What a job kept in its first version, and what it keeps in its second.
struct VisitV1 {
  std::int64_t count = 0;
  static auto fields() { return named_fields(field("count", &VisitV1::count)); }
};
struct VisitV2 {
  std::string page;
  std::int64_t count = 0;
  static auto fields() {
    return named_fields(field("page", &VisitV2::page, "/"), field("count", &VisitV2::count));
  }
};

TEST_CASE("rocksdb state backend: values of an older type become those of the job", "[state]") {
  BackendWorld world;
  KeyedTable<std::int64_t> old_table(8, {0, 7});
  ValueState<VisitV1> old_visit("visit");
  old_visit.bind(old_table, "int64");
  const auto old_backend = world.make(world.rocksdb.get(), old_table);
  for (std::int64_t key = 0; key < 500; ++key) {
    old_table.set_current(key, key_hash_of<std::int64_t>(key));
    old_visit.update({.count = key});
  }
  const KeyedStateHandle handle = world.snapshot(*old_backend, 1, 0).value();
  KeyedTable<std::int64_t> table(8, {0, 7});
  ValueState<VisitV2> visit("visit");
  visit.bind(table, "int64");
  const auto backend = world.make(world.rocksdb.get(), table);
  REQUIRE(backend->restore({handle}, &world.files));
  for (std::int64_t key = 0; key < 500; ++key) {
    table.set_current(key, key_hash_of<std::int64_t>(key));
    REQUIRE(visit.get() != nullptr);
    CHECK(visit.get()->count == key);
    CHECK(visit.get()->page == "/");
  }
}

TEST_CASE("rocksdb state backend: an operator that empties its table meets every row once",
          "[state]") {
  BackendWorld world;
  KeyedTable<std::int64_t> table(8, {0, 7});
  ValueState<std::int64_t> value("value");
  value.bind(table, "int64");
  const auto backend = world.make(world.rocksdb.get(), table);
  constexpr std::int64_t kKeys = 5000;
  for (std::int64_t key = 0; key < kKeys; ++key) {
    if (key % 100 == 0) table.begin_batch();
    table.set_current(key, key_hash_of<std::int64_t>(key));
    value.update(key);
  }
  KeyedTable<std::int64_t>::Cursor cursor;
  std::vector<std::int64_t> met;
  bool is_over = false;
  std::optional<KeyedStateHandle> middle;
  std::size_t met_before = 0;
  while (!is_over) {
    is_over = table.visit(cursor, 700, [&](std::byte* row, int group) {
      met.push_back(table.key_of(row));
      table.before_change(row, group);
      table.mark_absent(row, 0);
    });
    if (middle || met.size() < 2000) continue;
    met_before = met.size();
    middle = world.snapshot(*backend, 1, 0).value();
  }
  CHECK(middle->entries + met_before == kKeys);
  std::sort(met.begin(), met.end());
  CHECK(met.size() == kKeys);
  CHECK(std::unique(met.begin(), met.end()) == met.end());
  CHECK(world.snapshot(*backend, 2, 0).value().entries == 0);
}

TEST_CASE("rocksdb state backend: its folders go at the end, and those of dead processes before",
          "[state]") {
  const TemporaryFolder folder;
  const std::string dead = folder.path() + "/streamrun-rocksdb-" + std::string(32, 'd');
  fs::create_directories(dead + "/subtask/deep");
  std::ofstream(dead + "/.lock") << "pid 1";
  std::ofstream(dead + "/subtask/000001.sst") << "state";
  std::ofstream(dead + "/subtask/deep/file") << "state";
  const std::string unlocked = folder.path() + "/streamrun-rocksdb-" + std::string(32, 'e');
  fs::create_directories(unlocked);
  fs::create_directories(folder.path() + "/other");
  const auto local = make_local_file_system();
  SeededRandom random(7);
  const SetClock clock;
  RocksDbSettings settings;
  settings.directories = {folder.path()};
  auto first = RocksDbStateBackend::open(settings, *local, random, clock, "first").value();
  CHECK_FALSE(fs::exists(dead));
  CHECK(fs::exists(unlocked));
  CHECK(fs::exists(folder.path() + "/other"));
  CHECK(names_in(folder.path()).size() == 3);
  auto second = RocksDbStateBackend::open(settings, *local, random, clock, "second").value();
  CHECK(names_in(folder.path()).size() == 4);
  first.reset();
  second.reset();
  CHECK(names_in(folder.path()).size() == 2);
}

TEST_CASE("rocksdb state backend: the database of a subtask goes with it", "[state]") {
  BackendWorld world;
  const std::string root = world.folder.path() + "/" + names_in(world.folder.path()).front();
  {
    const Subtasks subtasks(world, world.rocksdb.get(), {}, 2);
    CHECK(names_in(root).size() == 3);
  }
  CHECK(names_in(root) == std::vector<std::string>{".lock"});
}

TEST_CASE("rocksdb state backend: a database that loses its files is an error with its path",
          "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  const std::string root = world.folder.path() + "/" + names_in(world.folder.path()).front();
  fs::remove_all(root + "/subtask-1");
  std::optional<Error> error;
  try {
    for (int round = 0; round < 2000; ++round) fill(subtasks, 1000, std::string(200, 'y'));
  } catch (const ErrorException& thrown) {
    error = thrown.error();
  }
  REQUIRE(error);
  CHECK(error->code == ErrorCode::store_io);
  CHECK(error->where == root + "/subtask-1");
  CHECK_FALSE(error->why.empty());
}

}  // namespace
}  // namespace streamrun
