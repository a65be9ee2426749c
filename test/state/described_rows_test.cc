#include <streamrun/state/described_rows.h>
#include <streamrun/state/hashmap_state_backend.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "modelled_table.h"
#include "queued_io.h"
#include "sim/memory_file_system.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

/// A snapshot of a table with texts as keys, in a file, and what it holds.
struct Snapshot {
  Snapshot() {
    ModelledTable<std::string> table(128, {0, 127});
    SeededRandom random(3);
    for (const std::string& key : some_keys<std::string>(300, 128, {0, 127}))
      table.change(key, random);
    for (const auto& [key, note] : table.model) keys.push_back(key);
    files.create_directories("/chk-1").value();
    HashMapStateBackend backend(table.table);
    std::optional<Result<KeyedStateHandle>> result;
    backend.snapshot(
        1, SharingFilesStrategy::no_sharing,
        [&] {
          return std::make_shared<SnapshotFileWriter>(io, io.poster(), &files, "/chk-1", "state",
                                                      std::uint64_t{0});
        },
        false, [&](Result<KeyedStateHandle> taken) { result = std::move(taken); });
    while (backend.advance_snapshots()) {
    }
    io.settle();
    handle = result.value().value();
    handle.pieces.front().file->path = "/chk-1/state";
  }

  QueuedIo io;
  sim::MemoryFileSystem files;
  KeyedStateHandle handle;
  std::vector<std::string> keys;
};

TEST_CASE("described rows: every key of a snapshot is read without the job that wrote it",
          "[state]") {
  Snapshot snapshot;
  std::map<std::string, DescribedRow> rows;
  REQUIRE(read_described_rows(snapshot.handle, &snapshot.files, [&](DescribedRow row) {
    const std::string key = row.key;
    CHECK(row.values.size() == snapshot.handle.states.size());
    const bool first = rows.emplace(key, std::move(row)).second;
    CHECK(first);
    return true;
  }));
  CHECK(rows.size() == snapshot.keys.size());
  for (const std::string& key : snapshot.keys) {
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&](const auto& row) { return is_key(row.first, key); });
    CHECK(found != rows.end());
  }
}

TEST_CASE("described rows: whoever has enough is given no more", "[state]") {
  Snapshot snapshot;
  int given = 0;
  REQUIRE(read_described_rows(snapshot.handle, &snapshot.files,
                              [&](const DescribedRow&) { return ++given < 5; }));
  CHECK(given == 5);
}

TEST_CASE("described rows: damage names file and offset", "[state]") {
  Snapshot snapshot;
  snapshot.handle.states.front().value_type = "list<string>";
  const Result<void> read = read_described_rows(snapshot.handle, &snapshot.files,
                                                [](const DescribedRow&) { return true; });
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::state_corrupt);
  CHECK(read.error().where.starts_with("/chk-1/state, offset "));
}

TEST_CASE("described rows: a key is found as text and as JSON", "[state]") {
  CHECK(is_key("\"word\"", "word"));
  CHECK(is_key("\"word\"", "\"word\""));
  CHECK(is_key("42", "42"));
  CHECK(is_key("[\"a\",1]", "[\"a\",1]"));
  CHECK_FALSE(is_key("\"42\"", "43"));
}

}  // namespace
}  // namespace streamrun
