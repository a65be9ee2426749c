#pragma once

#include <streamrun/state/described_rows.h>
#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/keyed_state.h>
#include <streamrun/state/rocksdb/rocksdb_state_backend.h>
#include <streamrun/storage/local_file_system.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sim/memory_file_system.h"
#include "state/every_kind.h"
#include "state/queued_io.h"
#include "state/set_clock.h"
#include "storage/test_stores.h"

namespace streamrun {

/// The world of a few backends: their disk for databases, a store for snapshots, one clock.
struct BackendWorld {
  static constexpr std::uint64_t kAllInline = std::uint64_t{1} << 40U;

  /// `memory`: so little that rows come and go all the time.
  explicit BackendWorld(std::uint64_t memory = std::uint64_t{128} << 10U) : random(1) {
    REQUIRE(files.create_directories("/chk-1"));
    RocksDbSettings settings;
    settings.directories = {folder.path()};
    settings.memory = memory;
    settings.write_batch_size = 3000;
    rocksdb =
        RocksDbStateBackend::open(std::move(settings), *local, random, clock, "a test").value();
  }
  std::unique_ptr<KeyedStateBackend> make(StateBackend* backend, KeyedTableBase& table) {
    if (backend == nullptr) {
      // So small that there are increments.
      return std::make_unique<HashMapStateBackend>(
          table, ChainLimits{.small_bytes = 1, .least_piece_bytes = 1, .inline_bytes = 2000});
    }
    auto made = backend->make_keyed(
        table, {.io = io, .post = io.poster(), .name = "subtask-" + std::to_string(++subtasks)});
    REQUIRE(made);
    return *std::move(made);
  }
  KeyedStateBackend::MakeWriter maker(std::uint64_t inline_threshold) {
    return [this, inline_threshold] {
      return std::make_shared<SnapshotFileWriter>(
          io, io.poster(), &files, "/chk-1", "state-" + std::to_string(++names), inline_threshold);
    };
  }
  static KeyedStateHandle with_paths(KeyedStateHandle handle) {
    for (StateHandle& piece : handle.pieces) {
      if (piece.file && piece.file->path.front() != '/')
        piece.file->path = "/chk-1/" + piece.file->path;
    }
    return handle;
  }
  Result<KeyedStateHandle> snapshot(
      KeyedStateBackend& backend, CheckpointId id, std::uint64_t inline_threshold,
      bool compressed = false, SharingFilesStrategy sharing = SharingFilesStrategy::no_sharing) {
    std::optional<Result<KeyedStateHandle>> result;
    backend.snapshot(id, sharing, maker(inline_threshold), compressed,
                     [&](Result<KeyedStateHandle> handle) { result = std::move(handle); });
    settle(backend);
    REQUIRE(result);
    if (!*result) return std::move(*result).error();
    backend.notify_complete(id);
    return with_paths(**std::move(result));
  }
  void settle(KeyedStateBackend& backend) {
    while (backend.advance_snapshots() || !io.idle()) io.settle();
  }

  TemporaryFolder folder;
  std::unique_ptr<FileSystem> local = make_local_file_system();
  SeededRandom random;
  SetClock clock;
  sim::MemoryFileSystem files;
  QueuedIo io;
  int subtasks = 0;
  int names = 0;
  std::unique_ptr<RocksDbStateBackend> rocksdb;
};

/// The rows of a snapshot, as text, sorted.
inline std::vector<std::string> dump(const std::vector<KeyedStateHandle>& handles,
                                     FileSystem& files) {
  std::vector<std::string> rows;
  for (const KeyedStateHandle& handle : handles) {
    for (const StateDescription& state : handle.states)
      rows.push_back(state.name + " " + state.kind + " " + state.key_type + " " + state.value_type);
    const auto read = read_described_rows(handle, &files, [&](const DescribedRow& row) {
      std::string text = std::to_string(row.key_group) + " " + row.key;
      for (const auto& value : row.values) text += " | " + value.value_or("-");
      rows.push_back(std::move(text));
      return true;
    });
    REQUIRE(read);
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

/// The subtasks of one operator, on one backend.
template <Key K, typename States = EveryKind>
class KeyedSubtasks {
 public:
  static constexpr int kMaxParallelism = 8;

  /// `backend` null: in memory.
  KeyedSubtasks(BackendWorld& world, StateBackend* backend, const StateTtlConfig& ttl,
                int parallelism, const std::vector<KeyedStateHandle>& restored = {},
                int max_parallelism = kMaxParallelism)
      : world_(world),
        // In memory increments too, in a form that every backend reads.
        sharing_(backend == nullptr ? SharingFilesStrategy::forward_backward
                                    : SharingFilesStrategy::no_sharing),
        max_parallelism_(max_parallelism) {
    for (int i = 0; i < parallelism; ++i) {
      Subtask& subtask = subtasks_.emplace_back();
      subtask.states = make_states(ttl);
      subtask.table = std::make_unique<KeyedTable<K>>(
          max_parallelism, key_group_range_of(i, parallelism, max_parallelism));
      bind_states(*subtask.states, *subtask.table, TypeSerializer<K>::type_name());
      subtask.table->use_clock(world.clock);
      subtask.backend = world.make(backend, *subtask.table);
      REQUIRE(subtask.backend->restore(restored, &world.files));
    }
  }
  void begin_batch() {
    for (Subtask& subtask : subtasks_) subtask.table->begin_batch();
  }
  /// The states, at this key; it outlives their use.
  States& at(const K& key) {
    const std::uint32_t hash = key_hash_of<K>(key);
    const int group = key_group_of_hash(hash, max_parallelism_);
    for (Subtask& subtask : subtasks_) {
      if (!subtask.table->key_groups().contains(group)) continue;
      subtask.table->set_current(key, hash);
      return *subtask.states;
    }
    FAIL("no subtask for the key");
    return *subtasks_.front().states;
  }
  std::vector<KeyedStateHandle> snapshot(CheckpointId id, std::uint64_t inline_threshold,
                                         bool compressed) {
    return snapshot(id, inline_threshold, compressed, sharing_);
  }
  std::vector<KeyedStateHandle> snapshot(CheckpointId id, std::uint64_t inline_threshold,
                                         bool compressed, SharingFilesStrategy sharing) {
    std::vector<KeyedStateHandle> handles;
    for (Subtask& subtask : subtasks_) {
      auto handle = world_.snapshot(*subtask.backend, id, inline_threshold, compressed, sharing);
      REQUIRE(handle);
      handles.push_back(*std::move(handle));
    }
    return handles;
  }
  std::uint64_t rows_held() const {
    std::uint64_t rows = 0;
    for (const Subtask& subtask : subtasks_) rows += subtask.table->size();
    return rows;
  }
  std::size_t parallelism() const { return subtasks_.size(); }
  KeyedTable<K>& table(std::size_t i) { return *subtasks_[i].table; }
  KeyedStateBackend& backend(std::size_t i) { return *subtasks_[i].backend; }

 private:
  struct Subtask {
    std::unique_ptr<States> states;
    std::unique_ptr<KeyedTable<K>> table;
    std::unique_ptr<KeyedStateBackend> backend;
  };
  static std::unique_ptr<States> make_states(const StateTtlConfig& ttl) {
    if constexpr (std::is_constructible_v<States, const StateTtlConfig&>) {
      return std::make_unique<States>(ttl);
    } else {
      return std::make_unique<States>();
    }
  }

  BackendWorld& world_;
  const SharingFilesStrategy sharing_;
  const int max_parallelism_;
  std::vector<Subtask> subtasks_;
};

}  // namespace streamrun
