#pragma once

#include <streamrun/state/hashmap_state_backend.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "modelled_table.h"
#include "queued_io.h"
#include "sim/memory_file_system.h"
#include "storage/test_stores.h"

namespace streamrun {

constexpr std::uint64_t kAllInline = std::uint64_t{1} << 40U;

/// A store, and what it takes to snapshot a table into it.
struct Store {
  Store() { files.create_directories("/chk-1").value(); }

  template <Key K, typename Note>
  Result<KeyedStateHandle> snapshot(ModelledTable<K, Note>& table, std::uint64_t inline_threshold) {
    return snapshot(table.table, inline_threshold);
  }
  std::shared_ptr<SnapshotFileWriter> writer(std::string name, std::uint64_t inline_threshold) {
    return std::make_shared<SnapshotFileWriter>(io, io.poster(), &files, "/chk-1", std::move(name),
                                                inline_threshold);
  }
  Result<KeyedStateHandle> snapshot(KeyedTableBase& table, std::uint64_t inline_threshold) {
    HashMapStateBackend backend(table);
    std::optional<Result<KeyedStateHandle>> result;
    auto writer = this->writer("state-" + std::to_string(++names), inline_threshold);
    backend.snapshot(
        1, SharingFilesStrategy::no_sharing, [&] { return writer; }, compressed,
        [&](Result<KeyedStateHandle> handle) { result = std::move(handle); });
    while (backend.advance_snapshots()) {
    }
    io.settle();
    REQUIRE(result);
    if (*result && (**result).pieces[0].file)
      (**result).pieces[0].file->path = "/chk-1/" + (**result).pieces[0].file->path;
    return *std::move(result);
  }

  sim::MemoryFileSystem files;
  QueuedIo io;
  int names = 0;
  bool compressed = false;
};

template <Key K, typename Note>
void fill(ModelledTable<K, Note>& table, int max_parallelism, std::size_t keys,
          std::uint64_t seed = 1) {
  SeededRandom random(seed);
  for (const K& key : some_keys<K>(keys, max_parallelism, table.table.key_groups()))
    table.change(key, random);
}

template <Key K, typename Note = std::string>
Model<K, Note> restored_model(const std::vector<KeyedStateHandle>& handles, int max_parallelism,
                              KeyGroupRange range, FileSystem& files) {
  ModelledTable<K, Note> table(max_parallelism, range);
  HashMapStateBackend(table.table).restore(handles, &files).value();
  Model<K, Note> model;
  KeyedTable<K>& rows = table.table;
  typename KeyedTable<K>::Cursor cursor;
  std::vector<K> keys;
  rows.visit(cursor, std::size_t{1} << 40U,
             [&](std::byte* row, int) { keys.emplace_back(KeyTraits<K>::view(rows.key_of(row))); });
  for (const K& key : keys) model[key] = table.look_up(key);
  CHECK(model.size() == rows.size());
  return model;
}

}  // namespace streamrun
