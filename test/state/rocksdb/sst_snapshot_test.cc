// Snapshots that consist of a database's own files, and restores from them.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include "keyed_subtasks.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using Subtasks = KeyedSubtasks<std::int64_t>;
using Handles = std::vector<KeyedStateHandle>;

constexpr auto kIncrement = SharingFilesStrategy::forward_backward;

void fill(Subtasks& subtasks, std::int64_t first, std::int64_t end, const std::string& text) {
  for (std::int64_t key = first; key < end; ++key) {
    if (key % 100 == 0) subtasks.begin_batch();
    EveryKind& states = subtasks.at(key);
    states.value.update(text + std::to_string(key));
    if (key % 3 == 0) states.list.add(key);
  }
}

void check_filled(Subtasks& subtasks, std::int64_t first, std::int64_t end,
                  const std::string& text) {
  for (std::int64_t key = first; key < end; ++key) {
    if (key % 100 == 0) subtasks.begin_batch();
    const std::string* const value = subtasks.at(key).value.get();
    REQUIRE(value != nullptr);
    REQUIRE(*value == text + std::to_string(key));
  }
}

std::set<std::string> paths_of(const Handles& handles) {
  std::set<std::string> paths;
  for (const KeyedStateHandle& handle : handles) {
    for (const StateHandle& piece : handle.pieces) {
      REQUIRE(piece.sst);
      if (piece.file) paths.insert(piece.file->path);
    }
  }
  return paths;
}

/// Of the first that are not in the second.
std::size_t new_ones(const std::set<std::string>& paths, const std::set<std::string>& known) {
  std::size_t count = 0;
  for (const std::string& path : paths) count += known.contains(path) ? 0 : 1;
  return count;
}

/// What keeps files for snapshots that are under way.
std::vector<std::string> files_kept(BackendWorld& world) {
  std::vector<std::string> files;
  const std::string ours = world.local->list(world.folder.path()).value().front().path;
  for (const FileStatus& folder : world.local->list(ours).value()) {
    if (folder.path.find("-snapshot-") == std::string::npos) continue;
    for (const FileStatus& file : world.local->list(folder.path).value())
      files.push_back(file.path);
  }
  return files;
}

using Taken = std::optional<Result<KeyedStateHandle>>;

/// The first of one subtask; its I/O is left to the test.
void begin_snapshot(BackendWorld& world, Subtasks& subtasks, Taken& result) {
  subtasks.backend(0).snapshot(
      1, kIncrement, world.maker(0), false,
      [&result](Result<KeyedStateHandle> handle) { result = std::move(handle); });
}

void flip_a_bit(const std::string& path, std::size_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  REQUIRE(byte >= 0);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 1));
  REQUIRE(file.good());
}

}  // namespace

TEST_CASE("rocksdb increments: each SST is written once", "[state]") {
  // So much memory that RocksDB does not merge files meanwhile.
  BackendWorld world(std::uint64_t{64} << 20U);
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 3000, "first");
  const auto first = paths_of(subtasks.snapshot(1, 0, false, kIncrement));
  REQUIRE_FALSE(first.empty());
  const int written = world.names;

  // Nothing has changed.
  CHECK(paths_of(subtasks.snapshot(2, 0, false, kIncrement)) == first);
  CHECK(world.names == written);

  fill(subtasks, 0, 10, "second");
  const auto third = paths_of(subtasks.snapshot(3, 0, false, kIncrement));
  CHECK(new_ones(third, first) == static_cast<std::size_t>(world.names - written));
  CHECK(new_ones(third, first) > 0);
  CHECK(new_ones(first, third) == 0);

  // A full one refers to nothing of others, the next one refers to it.
  const auto full = paths_of(subtasks.snapshot(4, 0, false, SharingFilesStrategy::forward));
  CHECK(new_ones(full, third) == full.size());
  CHECK(paths_of(subtasks.snapshot(5, 0, false, kIncrement)) == full);
}

TEST_CASE("rocksdb increments: what was not completed is no base", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 3000, "first");
  const auto first = paths_of(subtasks.snapshot(1, 0, false, kIncrement));
  fill(subtasks, 0, 100, "second");
  std::optional<Result<KeyedStateHandle>> second;
  subtasks.backend(0).snapshot(2, kIncrement, world.maker(0), false,
                               [&](Result<KeyedStateHandle> handle) { second = handle; });
  world.settle(subtasks.backend(0));
  REQUIRE(second);
  REQUIRE(*second);
  subtasks.backend(0).abort(2);
  const auto of_second = paths_of({BackendWorld::with_paths(**second)});
  const auto third = paths_of(subtasks.snapshot(3, 0, false, kIncrement));
  CHECK(new_ones(third, first) > 0);
  for (const std::string& path : third) CHECK((first.contains(path) || !of_second.contains(path)));
}

TEST_CASE("rocksdb increments: a snapshot is what there was at its beginning", "[state]") {
  BackendWorld world(std::uint64_t{8} << 20U);
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 2000, "first");
  Taken result;
  begin_snapshot(world, subtasks, result);
  // While it is being copied the table keeps what changes, as long as that is little.
  fill(subtasks, 0, 300, "second");
  world.settle(subtasks.backend(0));
  REQUIRE(result);
  REQUIRE(*result);
  Subtasks restored(world, world.rocksdb.get(), {}, 1, {BackendWorld::with_paths(**result)});
  check_filled(restored, 0, 2000, "first");
  check_filled(subtasks, 0, 300, "second");
  check_filled(subtasks, 300, 2000, "first");
  const auto next = subtasks.snapshot(2, 0, false);
  CHECK(next.front().entries == 2000);
}

TEST_CASE("rocksdb increments: empty state, and state that became empty", "[state]") {
  BackendWorld world;
  Handles nothing;
  {
    Subtasks subtasks(world, world.rocksdb.get(), {}, 2);
    nothing = subtasks.snapshot(1, 0, false, kIncrement);
  }
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1, nothing);
  CHECK(subtasks.at(7).value.get() == nullptr);
  fill(subtasks, 0, 50, "some");
  REQUIRE_FALSE(subtasks.snapshot(2, 0, false, kIncrement).front().pieces.empty());
  for (std::int64_t key = 0; key < 50; ++key) {
    subtasks.at(key).value.clear();
    subtasks.at(key).list.clear();
  }
  const Handles cleared = subtasks.snapshot(3, 0, false, kIncrement);
  Subtasks restored(world, world.rocksdb.get(), {}, 1, cleared);
  for (std::int64_t key = 0; key < 50; ++key) CHECK(restored.at(key).value.get() == nullptr);
}

TEST_CASE("rocksdb increments: a snapshot of nothing holds nothing, whatever comes before its mail",
          "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  Taken result;
  begin_snapshot(world, subtasks, result);
  world.io.run_job();
  fill(subtasks, 0, 300, "later");
  subtasks.table(0).write_back();
  world.settle(subtasks.backend(0));
  REQUIRE(result);
  REQUIRE(*result);
  CHECK((**result).entries == 0);
  Subtasks restored(world, world.rocksdb.get(), {}, 1, {BackendWorld::with_paths(**result)});
  for (std::int64_t key = 0; key < 300; ++key) CHECK(restored.at(key).value.get() == nullptr);
}

TEST_CASE("rocksdb increments: an aborted snapshot leaves no file, whenever that is", "[state]") {
  for (int steps = 0; steps < 24; ++steps) {
    INFO(steps << " steps");
    BackendWorld world;
    Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
    fill(subtasks, 0, 3000, std::string(500, 'x'));
    std::optional<Result<KeyedStateHandle>> result;
    subtasks.backend(0).snapshot(
        1, kIncrement, world.maker(0), false,
        [&](Result<KeyedStateHandle> handle) { result = std::move(handle); });
    for (int step = 0; step < steps; ++step) {
      if (!world.io.deliver()) world.io.run_job();
      subtasks.backend(0).advance_snapshots();
    }
    const bool was_done = result.has_value();
    subtasks.backend(0).abort(1);
    world.settle(subtasks.backend(0));
    REQUIRE(result);
    if (!was_done) {
      REQUIRE_FALSE(*result);
      CHECK(result->error().code == ErrorCode::cancelled);
      CHECK(world.files.files().empty());
    }
    REQUIRE_FALSE(subtasks.snapshot(2, 0, false, kIncrement).front().pieces.empty());
  }
}

TEST_CASE("rocksdb increments: a failing store fails the snapshot, and the next one works (D5)",
          "[state]") {
  for (std::uint64_t step = 1; step <= 8; ++step) {
    INFO(step);
    BackendWorld world;
    Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
    fill(subtasks, 0, 300, "some");
    world.files.fail_call(world.files.steps() + step,
                          {.code = ErrorCode::store_io, .message = "broken"});
    const auto failed = world.snapshot(subtasks.backend(0), 1, 0, false, kIncrement);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::store_io);
    Subtasks restored(world, world.rocksdb.get(), {}, 1,
                      subtasks.snapshot(2, 0, false, kIncrement));
    check_filled(restored, 0, 300, "some");
  }
}

/// No file can be opened while it lives.
class NoFiles {
 public:
  NoFiles() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none{.rlim_cur = 3, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoFiles() { static_cast<void>(::setrlimit(RLIMIT_NOFILE, &before_)); }
  NoFiles(const NoFiles&) = delete;
  NoFiles& operator=(const NoFiles&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("rocksdb increments: a database that can't write any more fails the attempt", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 300, "some");
  // Either way ends the attempt: RocksDB's own threads may have failed before the snapshot writes
  // back, which then throws.
  const auto error_of_snapshot = [&](CheckpointId id) {
    try {
      const auto taken = world.snapshot(subtasks.backend(0), id, 0, false, kIncrement);
      REQUIRE_FALSE(taken);
      return taken.error();
    } catch (const ErrorException& thrown) {
      return thrown.error();
    }
  };
  {
    const NoFiles none;
    CHECK(error_of_snapshot(1).code == ErrorCode::store_io);
  }
  // RocksDB does not take up again what has failed like that, though files can be opened again.
  const Error later = error_of_snapshot(2);
  CHECK(later.code == ErrorCode::store_io);
  CHECK(later.where.find(world.folder.path()) == 0);
}

TEST_CASE("rocksdb increments: a damaged or missing file is refused, with its name (R7)",
          "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 2);
  fill(subtasks, 0, 3000, std::string(1000, 'x'));
  const Handles handles = subtasks.snapshot(1, 0, false, kIncrement);
  const StateFile* file = nullptr;
  for (const StateHandle& piece : handles.front().pieces) {
    if (file == nullptr || piece.file->length > file->length) file = &*piece.file;
  }
  const auto restore = [&](int parallelism) {
    KeyedTable<std::int64_t> table(Subtasks::kMaxParallelism,
                                   key_group_range_of(0, parallelism, Subtasks::kMaxParallelism));
    EveryKind states{StateTtlConfig()};
    bind_states(states, table, TypeSerializer<std::int64_t>::type_name());
    table.use_clock(world.clock);
    const auto backend = world.make(world.rocksdb.get(), table);
    const Handles own = parallelism == 1 ? handles : Handles{handles.front()};
    const Result<void> restored = backend->restore(own, &world.files);
    REQUIRE_FALSE(restored);
    return restored.error();
  };
  const std::string bytes = world.files.read_all(file->path, file->length).value();
  REQUIRE(world.files.remove_file(file->path).value());
  // As a whole at the same parallelism, row by row at another one.
  for (const int parallelism : {2, 1}) {
    const Error missing = restore(parallelism);
    CHECK(missing.code == ErrorCode::state_missing);
    CHECK(missing.where.find(file->path) != std::string::npos);
  }
  SeededRandom random(1);
  for (int flips = 0; flips < 20; ++flips) {
    std::string damaged = bytes;
    const auto at = static_cast<std::size_t>(random.below(bytes.size()));
    damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(1U << random.below(8)));
    const auto out = world.files.create(file->path).value();
    REQUIRE(out->append(damaged));
    REQUIRE(out->close());
    const Error corrupt = restore(flips % 2 + 1);
    INFO("byte " << at);
    CHECK(corrupt.code == ErrorCode::state_corrupt);
    CHECK(corrupt.where.find(file->path + ", offset ") != std::string::npos);
    REQUIRE(world.files.remove_file(file->path).value());
  }
}

TEST_CASE("rocksdb increments: what was rescaled is a base like any other (S6)", "[state]") {
  BackendWorld world;
  Handles handles;
  {
    Subtasks subtasks(world, world.rocksdb.get(), {}, 2);
    fill(subtasks, 0, 2000, "first");
    handles = subtasks.snapshot(1, 0, false, kIncrement);
  }
  CheckpointId id = 1;
  std::int64_t changed = 0;
  // Row by row to another number of subtasks, then as whole files, and on from there.
  for (const int parallelism : {3, 3, 1, 1, 2}) {
    INFO(parallelism << " subtasks, snapshot " << id);
    Subtasks subtasks(world, world.rocksdb.get(), {}, parallelism, handles);
    check_filled(subtasks, 0, changed, "later");
    check_filled(subtasks, changed, 2000, "first");
    changed += 100;
    fill(subtasks, changed - 100, changed, "later");
    handles = subtasks.snapshot(++id, 0, false, kIncrement);
    // Beside increments, what everybody reads.
    Subtasks others(world, nullptr, {}, 1, subtasks.snapshot(++id, 0, false));
    check_filled(others, 0, changed, "later");
    check_filled(others, changed, 2000, "first");
  }
}

TEST_CASE("rocksdb increments: who has to wait for the copy makes it", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 300, "first");
  Taken result;
  begin_snapshot(world, subtasks, result);
  // No I/O thread comes to it.
  fill(subtasks, 0, 300, "second");
  subtasks.table(0).write_back();
  world.settle(subtasks.backend(0));
  REQUIRE(result);
  REQUIRE(*result);
  Subtasks restored(world, world.rocksdb.get(), {}, 1, {BackendWorld::with_paths(**result)});
  check_filled(restored, 0, 300, "first");
  check_filled(subtasks, 0, 300, "second");
}

TEST_CASE("rocksdb increments: a snapshot that is given up holds nobody up", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 300, "first");
  Taken result;
  begin_snapshot(world, subtasks, result);
  subtasks.backend(0).abort(1);
  REQUIRE(result);
  CHECK(result->error().code == ErrorCode::cancelled);
  fill(subtasks, 0, 300, "second");
  subtasks.table(0).write_back();
  CHECK(files_kept(world).empty());
  world.settle(subtasks.backend(0));
  CHECK(world.files.files().empty());
  check_filled(subtasks, 0, 300, "second");
}

TEST_CASE("rocksdb increments: files have a name for the snapshot while it needs them", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 3000, "some");
  Taken result;
  begin_snapshot(world, subtasks, result);
  CHECK(files_kept(world).empty());
  REQUIRE(world.io.run_job());
  const std::size_t kept = files_kept(world).size();
  CHECK(kept > 0);
  world.settle(subtasks.backend(0));
  REQUIRE(result);
  REQUIRE(*result);
  CHECK((**result).pieces.size() == kept);
  CHECK(files_kept(world).empty());
}

TEST_CASE("rocksdb increments: compactions remove files while a snapshot needs them", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 3000, "first");
  Taken result;
  begin_snapshot(world, subtasks, result);
  REQUIRE(world.io.run_job());
  const std::string folder = parent_path(parent_path(files_kept(world).front())) + "/subtask-1";
  const auto sst_files = [&] {
    std::set<std::string> names;
    for (const FileStatus& file : world.local->list(folder).value()) {
      if (file.path.ends_with(".sst")) names.insert(file.path);
    }
    return names;
  };
  // RocksDB's own threads merge and remove when they like.
  const std::set<std::string> before = sst_files();
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  bool is_one_gone = false;
  for (int round = 0; !is_one_gone && std::chrono::steady_clock::now() < deadline; ++round) {
    fill(subtasks, 0, 3000, "later " + std::to_string(round) + " ");
    subtasks.table(0).write_back();
    is_one_gone = new_ones(before, sst_files()) > 0;
  }
  CHECK(is_one_gone);
  world.settle(subtasks.backend(0));
  REQUIRE(result);
  REQUIRE(*result);
  Subtasks restored(world, world.rocksdb.get(), {}, 1, {BackendWorld::with_paths(**result)});
  check_filled(restored, 0, 3000, "first");
}

TEST_CASE("rocksdb increments: what the disk has damaged reaches no checkpoint", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 3000, std::string(100, 'x'));
  Taken result;
  begin_snapshot(world, subtasks, result);
  REQUIRE(world.io.run_job());
  flip_a_bit(files_kept(world).back(), 100);
  world.settle(subtasks.backend(0));
  REQUIRE(result);
  REQUIRE_FALSE(*result);
  CHECK(result->error().code == ErrorCode::store_io);
  CHECK(result->error().message.find("not as RocksDB wrote it") != std::string::npos);
  CHECK(world.files.files().empty());
  // The database is not to be relied on.
  CHECK_THROWS_AS(world.snapshot(subtasks.backend(0), 2, 0, false, kIncrement), ErrorException);
}

TEST_CASE("rocksdb increments: only RocksDB restores them, and others say so", "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 50, "some");
  const Handles handles = subtasks.snapshot(1, 0, false, kIncrement);
  KeyedTable<std::int64_t> table(Subtasks::kMaxParallelism, {0, Subtasks::kMaxParallelism - 1});
  EveryKind states{StateTtlConfig()};
  bind_states(states, table, TypeSerializer<std::int64_t>::type_name());
  const auto restored = world.make(nullptr, table)->restore(handles, &world.files);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::job_mismatch);
  CHECK(restored.error().tries.front() == "streamrun run -D state.backend.type=rocksdb -s PATH");
}

TEST_CASE("rocksdb increments: a checkpoint on the same disk is linked, and stays as it was",
          "[state]") {
  BackendWorld world;
  Subtasks subtasks(world, world.rocksdb.get(), {}, 1);
  fill(subtasks, 0, 3000, "first");
  Handles handles = subtasks.snapshot(1, 0, false, kIncrement);
  std::map<std::string, std::string> before;
  for (StateHandle& piece : handles.front().pieces) {
    const std::string bytes = world.files.read_all(piece.file->path, piece.file->length).value();
    piece.file->path = join_path(world.folder.path(), base_name(piece.file->path));
    const auto out = world.local->create(piece.file->path).value();
    REQUIRE(out->append(bytes));
    REQUIRE(out->close());
    before[piece.file->path] = bytes;
  }
  {
    KeyedTable<std::int64_t> table(Subtasks::kMaxParallelism, {0, Subtasks::kMaxParallelism - 1});
    EveryKind states{StateTtlConfig()};
    bind_states(states, table, TypeSerializer<std::int64_t>::type_name());
    const auto backend = world.make(world.rocksdb.get(), table);
    REQUIRE(backend->restore(handles, world.local.get()));
    for (std::int64_t key = 0; key < 3000; ++key) {
      table.begin_batch();
      table.set_current(key, key_hash_of<std::int64_t>(key));
      REQUIRE(*states.value.get() == "first" + std::to_string(key));
      states.value.update("second");
    }
    table.write_back();
  }
  for (const auto& [path, bytes] : before)
    CHECK((world.local->read_all(path, bytes.size()).value() == bytes));
}

namespace {

/// Two operators that get the same, one in memory, for a few lives, at random parallelisms.
void run_pair(const StateTtlConfig& ttl, std::uint64_t seed) {
  INFO("seed " << seed);
  constexpr std::uint64_t kKeys = 200;
  SeededRandom random(seed);
  BackendWorld world;
  Handles memory_from;
  Handles disk_from;
  CheckpointId id = 0;
  for (int life = 0; life < 4; ++life) {
    const auto parallelism = 1 + static_cast<int>(random.below(3));
    INFO("life " << life << " of parallelism " << parallelism);
    Subtasks in_memory(world, nullptr, ttl, parallelism, memory_from);
    Subtasks on_disk(world, world.rocksdb.get(), ttl, parallelism, disk_from);
    const auto each = [&](std::int64_t key, const auto& change) {
      change(in_memory.at(key));
      change(on_disk.at(key));
    };
    for (int snapshot = 0; snapshot < 4; ++snapshot) {
      for (int record = 0; record < 300; ++record) {
        if (record % 20 == 0) {
          world.clock.milliseconds += static_cast<std::int64_t>(random.below(8));
          in_memory.begin_batch();
          on_disk.begin_batch();
        }
        const auto key = static_cast<std::int64_t>(random.below(kKeys));
        const auto number = static_cast<std::int64_t>(random.below(100));
        switch (random.below(6)) {
          case 0:
            each(key, [](EveryKind& states) { states.value.clear(); });
            break;
          case 1:
            each(key, [](EveryKind& states) { states.map.clear(); });
            break;
          case 2:
            each(key, [=](EveryKind& states) { states.list.add(number); });
            break;
          case 3:
            each(key, [=](EveryKind& states) {
              states.map.put(static_cast<std::int32_t>(number), std::string(number, 'm'));
            });
            break;
          default:
            each(key, [=](EveryKind& states) { states.value.update(std::string(number, 'v')); });
        }
      }
      in_memory.begin_batch();
      on_disk.begin_batch();
      ++id;
      const std::uint64_t threshold = random.below(2) == 0 ? 0 : 2000;
      memory_from = in_memory.snapshot(id, threshold, false);
      disk_from = on_disk.snapshot(id, threshold, false, kIncrement);
    }
    ++id;
    REQUIRE(dump(in_memory.snapshot(id, 0, false), world.files) ==
            dump(on_disk.snapshot(id, 0, false), world.files));
  }
}

}  // namespace

TEST_CASE("rocksdb increments: restored at any parallelism they hold what memory holds (S6)",
          "[state]") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) run_pair({}, seed);
}

TEST_CASE("rocksdb increments: with times to live too (S6)", "[state]") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) run_pair({.ttl = 150ms}, seed);
}

}  // namespace streamrun
