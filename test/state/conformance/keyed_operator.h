#pragma once

#include <streamrun/state/described_rows.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "state/rocksdb/keyed_subtasks.h"

namespace streamrun {

/// Where an operator keeps its state.
enum class Where {
  hashmap,
  rocksdb,  ///< rows that are used stay in the table, as long as there is room
  /// Of two accesses in a row one finds its row in the table if it was used, and the other one has
  /// to read it from the database.
  rocksdb_forgetful,
};

struct OperatorSetting {
  StateTtlConfig ttl = {};
  int parallelism = 1;
  int max_parallelism = 8;
  /// Of databases: so much that few rows go to the disk, unless that is what is looked at.
  std::uint64_t memory = std::uint64_t{16} << 20U;
};

using SubtaskHandles = std::vector<KeyedStateHandle>;
using Lines = std::vector<std::string>;

/// A keyed operator with a life: it takes snapshots, fails, comes back on another backend or with
/// another parallelism. Its time is that of the world.
template <Key K, typename States>
class KeyedOperator {
 public:
  /// A snapshot that has begun.
  struct Running {
    CheckpointId id = 0;
    std::vector<std::shared_ptr<std::optional<Result<KeyedStateHandle>>>> results = {};
  };

  KeyedOperator(BackendWorld& world, Where where, const OperatorSetting& setting,
                const SubtaskHandles& restored = {})
      : world_(world), where_(where), setting_(setting) {
    restore(restored);
  }

  /// The states of a key, until the next one.
  States& at(const K& key) {
    if (where_ == Where::rocksdb_forgetful && ++accesses_ % 2 == 0) forget_rows();
    key_ = key;  // the table refers to it
    return subtasks_->at(key_);
  }
  void begin_batch() { subtasks_->begin_batch(); }
  void pass(std::int64_t milliseconds) {
    world_.clock.milliseconds += milliseconds;
    begin_batch();
  }
  /// As if others had pushed them out of the table; of no effect in memory.
  void forget_rows() {
    if (where_ == Where::hashmap) return;
    for (std::size_t i = 0; i < subtasks_->parallelism(); ++i) {
      typename KeyedTable<K>::Cursor cursor;
      subtasks_->table(i).visit(cursor, 0, [](std::byte*, int) {});
    }
  }

  /// By default one that stands for itself, which either backend reads.
  Running begin_snapshot(SharingFilesStrategy sharing = SharingFilesStrategy::no_sharing,
                         bool compressed = false) {
    Running running{.id = ++last_id_};
    // In the metadata or in files: what is read back is the same.
    const std::uint64_t inline_threshold =
        where_ == Where::rocksdb_forgetful ? BackendWorld::kAllInline : 0;
    for (std::size_t i = 0; i < subtasks_->parallelism(); ++i) {
      const auto result = std::make_shared<std::optional<Result<KeyedStateHandle>>>();
      subtasks_->backend(i).snapshot(
          running.id, sharing, world_.maker(inline_threshold), compressed,
          [result](Result<KeyedStateHandle> handle) { *result = std::move(handle); });
      running.results.push_back(result);
    }
    return running;
  }
  /// A slice of what is under way.
  void advance() {
    for (std::size_t i = 0; i < subtasks_->parallelism(); ++i)
      subtasks_->backend(i).advance_snapshots();
    if (!world_.io.deliver()) world_.io.run_job();
  }
  void settle() {
    for (std::size_t i = 0; i < subtasks_->parallelism(); ++i) world_.settle(subtasks_->backend(i));
  }
  SubtaskHandles finish(const Running& running) {
    settle();
    SubtaskHandles handles;
    for (const auto& result : running.results) {
      REQUIRE(*result);
      REQUIRE(**result);
      handles.push_back(BackendWorld::with_paths(***result));
    }
    return handles;
  }
  void abort(CheckpointId id) {
    for (std::size_t i = 0; i < subtasks_->parallelism(); ++i) subtasks_->backend(i).abort(id);
  }
  SubtaskHandles snapshot(bool compressed = false) {
    return finish(begin_snapshot(SharingFilesStrategy::no_sharing, compressed));
  }
  /// An incremental one, that completes; only this backend has to read it.
  SubtaskHandles checkpoint(bool compressed = false) {
    return subtasks_->snapshot(++last_id_, 0, compressed);
  }

  /// Another life, from these.
  void restore(const SubtaskHandles& handles, int parallelism) {
    setting_.parallelism = parallelism;
    restore(handles);
  }
  void restore(const SubtaskHandles& handles) {
    subtasks_.reset();
    subtasks_.emplace(world_, where_ == Where::hashmap ? nullptr : world_.rocksdb.get(),
                      setting_.ttl, setting_.parallelism, handles, setting_.max_parallelism);
  }
  /// Another life, from what there is.
  void restart() { restore(snapshot()); }
  void restart(int parallelism) { restore(snapshot(), parallelism); }
  void restart_with(const StateTtlConfig& ttl) {
    const SubtaskHandles handles = snapshot();
    setting_.ttl = ttl;
    restore(handles);
  }
  void restart_on_the_other() {
    const SubtaskHandles handles = snapshot();
    where_ = where_ == Where::hashmap ? Where::rocksdb : Where::hashmap;
    restore(handles);
  }

  BackendWorld& world() { return world_; }
  KeyedStateBackend& backend(std::size_t i) { return subtasks_->backend(i); }

 private:
  BackendWorld& world_;
  Where where_;
  OperatorSetting setting_;
  CheckpointId last_id_ = 0;
  unsigned accesses_ = 0;
  K key_{};
  std::optional<KeyedSubtasks<K, States>> subtasks_;
};

/// What a snapshot has, a line a key in the order of the lines: `"key" state=value …`.
Lines rows_of(const SubtaskHandles& handles, FileSystem& files);

inline const char* name_of(Where where) {
  switch (where) {
    case Where::hashmap:
      return "hashmap";
    case Where::rocksdb:
      return "rocksdb";
    case Where::rocksdb_forgetful:
      return "rocksdb, forgetful";
  }
  return "";
}

/// Takes the same steps everywhere. What they leave is the same, is `rows` (if they are written
/// down), and stays the same where either backend restores what the other wrote: a database only if
/// rows are not written down, as one more takes longer than all else.
template <Key K, typename States>
void conforms(const OperatorSetting& setting,
              const std::function<void(KeyedOperator<K, States>&)>& steps,
              const std::optional<Lines>& rows = {}) {
  BackendWorld world(setting.memory);
  const std::int64_t start = world.clock.milliseconds;
  std::vector<SubtaskHandles> ends;
  std::vector<Lines> dumps;
  for (const Where where : {Where::hashmap, Where::rocksdb_forgetful}) {
    INFO(name_of(where));
    world.clock.milliseconds = start;
    KeyedOperator<K, States> on_it(world, where, setting);
    steps(on_it);
    const bool compressed = where == Where::hashmap;
    ends.push_back(on_it.snapshot(compressed));
    dumps.push_back(dump(ends.back(), world.files));
    if (rows) CHECK(rows_of(ends.back(), world.files) == *rows);
    CHECK(dumps.back() == dumps.front());
  }
  const auto restored_on = [&](Where where, const SubtaskHandles& from) {
    INFO(name_of(where) << " from what the other wrote");
    KeyedOperator<K, States> on_it(world, where, setting, from);
    CHECK(dump(on_it.snapshot(), world.files) == dumps.front());
  };
  restored_on(Where::hashmap, ends[1]);
  if (!rows) restored_on(Where::rocksdb, ends[0]);
}

}  // namespace streamrun
