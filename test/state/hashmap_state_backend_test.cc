#include <streamrun/state/hashmap_state_backend.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "state_store.h"

namespace streamrun {
namespace {

TEMPLATE_TEST_CASE(
    "hashmap state backend: a snapshot restores to the same content, inline and from a file",
    "[state]", NumberText, NumberNumber, TextText, TextNumber) {
  const std::uint64_t threshold = GENERATE(std::uint64_t{0}, kAllInline);
  Store store;
  store.compressed = GENERATE(false, true);
  ModelledTable<typename TestType::KeyType, typename TestType::Note> table(128, {0, 127});
  fill(table, 128, 5000);
  const Result<KeyedStateHandle> handle = store.snapshot(table, threshold);
  REQUIRE(handle);
  CHECK(handle->pieces[0].file.has_value() == (threshold == 0));
  CHECK(handle->entries == table.model.size());
  const std::string bytes = threshold == 0 ? store.files.files().at(handle->pieces[0].file->path)
                                           : handle->pieces[0].inline_bytes;
  CHECK(bytes.ends_with(store.compressed ? "SRSTATE2" : "SRSTATE1"));
  CHECK(handle->key_groups == KeyGroupRange{0, 127});
  CHECK(handle->states.size() == 2);
  CHECK((restored_model<typename TestType::KeyType, typename TestType::Note>(
             {*handle}, 128, {0, 127}, store.files) == table.model));
}

TEST_CASE("hashmap state backend: a restore takes only the key groups of its subtask (S3)",
          "[state]") {
  const int old_parallelism = GENERATE(1, 2, 5);
  const int new_parallelism = GENERATE(1, 3, 7, 128);
  INFO(old_parallelism << " to " << new_parallelism);
  Store store;
  std::vector<KeyedStateHandle> handles;
  Model<std::string> all;
  for (int subtask = 0; subtask < old_parallelism; ++subtask) {
    ModelledTable<std::string> table(128, key_group_range_of(subtask, old_parallelism, 128));
    fill(table, 128, 400, static_cast<std::uint64_t>(subtask));
    handles.push_back(store.snapshot(table, 0).value());
    all.insert(table.model.begin(), table.model.end());
  }
  Model<std::string> restored;
  for (int subtask = 0; subtask < new_parallelism; ++subtask) {
    const KeyGroupRange range = key_group_range_of(subtask, new_parallelism, 128);
    for (auto& [key, row] : restored_model<std::string>(handles, 128, range, store.files)) {
      CHECK(range.contains(key_group_of_hash(key_hash_of<std::string>(key), 128)));
      CHECK(restored.emplace(key, row).second);
    }
  }
  CHECK(restored == all);
}

TEST_CASE("hashmap state backend: restored state can be changed and saved again", "[state]") {
  Store store;
  ModelledTable<std::string> table(7, {0, 6});
  fill(table, 7, 500);
  const KeyedStateHandle first = store.snapshot(table, 0).value();
  ModelledTable<std::string> second(7, {0, 6});
  HashMapStateBackend(second.table).restore({first}, &store.files).value();
  second.model = table.model;
  SeededRandom random(4);
  for (const std::string& key : some_keys<std::string>(900, 7, {0, 6})) second.change(key, random);
  const KeyedStateHandle again = store.snapshot(second, 0).value();
  CHECK(restored_model<std::string>({again}, 7, {0, 6}, store.files) == second.model);
}

TEST_CASE(
    "hashmap state backend: a failing call at any step fails the snapshot, and the next one works "
    "(D5)",
    "[state]") {
  Store counting;
  ModelledTable<std::string> table(128, {0, 127});
  fill(table, 128, 300);
  const std::uint64_t before = counting.files.steps();
  REQUIRE(counting.snapshot(table, 0));
  const std::uint64_t steps = counting.files.steps() - before;
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("step " << step);
    Store store;
    store.files.fail_call(store.files.steps() + step,
                          {.code = ErrorCode::store_io, .message = "broken"});
    const Result<KeyedStateHandle> failed = store.snapshot(table, 0);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::store_io);
    const Result<KeyedStateHandle> next = store.snapshot(table, 0);
    REQUIRE(next);
    CHECK(restored_model<std::string>({*next}, 128, {0, 127}, store.files) == table.model);
  }
}

TEST_CASE("hashmap state backend: concurrent snapshots are each written whole", "[state]") {
  Store store;
  ModelledTable<std::int64_t> table(128, {0, 127});
  HashMapStateBackend backend(table.table);
  std::vector<Model<std::int64_t>> expected;
  std::vector<KeyedStateHandle> handles;
  SeededRandom random(3);
  const auto keys = some_keys<std::int64_t>(20000, 128, {0, 127});
  for (int i = 0; i < 3; ++i) {
    for (const std::int64_t key : keys) table.change(key, random);
    expected.push_back(table.model);
    backend.snapshot(
        i + 1, SharingFilesStrategy::no_sharing,
        [&store, i] { return store.writer("part-" + std::to_string(i), 0); }, false,
        [&](Result<KeyedStateHandle> handle) { handles.push_back(*std::move(handle)); });
    CHECK(backend.advance_snapshots());
  }
  while (backend.advance_snapshots()) {
  }
  store.io.settle();
  REQUIRE(handles.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    handles[i].pieces[0].file->path = "/chk-1/" + handles[i].pieces[0].file->path;
    CHECK(restored_model<std::int64_t>({handles[i]}, 128, {0, 127}, store.files) == expected[i]);
  }
}

TEST_CASE("hashmap state backend: an aborted snapshot gives back what it holds", "[state]") {
  Store store;
  ModelledTable<std::int64_t> table(128, {0, 127});
  HashMapStateBackend backend(table.table);
  SeededRandom random(4);
  const auto keys = some_keys<std::int64_t>(100000, 128, {0, 127});
  for (const std::int64_t key : keys) table.change(key, random);
  const Model<std::int64_t> expected = table.model;
  std::map<CheckpointId, Result<KeyedStateHandle>> results;
  const auto begin = [&](CheckpointId id) {
    const std::string name = "part-" + std::to_string(id);
    backend.snapshot(
        id, SharingFilesStrategy::no_sharing, [&store, name] { return store.writer(name, 0); },
        false,
        [&results, id](Result<KeyedStateHandle> handle) {
          const bool first = results.emplace(id, std::move(handle)).second;
          CHECK(first);
        });
  };
  begin(1);
  begin(2);
  // How far it is: nothing taken yet; rows are lent and a job has some; all of it is with the
  // writer.
  const int stage = GENERATE(0, 1, 2);
  INFO("stage " << stage);
  if (stage > 0) {
    backend.advance_snapshots();
    store.io.run_job();
    backend.advance_snapshots();
  }
  while (stage == 2 && table.table.snapshots_under_way() > 0) {
    backend.advance_snapshots();
    if (!store.io.deliver()) store.io.run_job();
  }
  backend.abort(7);
  backend.abort(1);
  CHECK(table.table.snapshots_under_way() == (stage == 2 ? 0 : 1));
  for (const std::int64_t key : keys) table.change(key, random);
  while (!results.contains(2)) {
    backend.advance_snapshots();
    if (!store.io.deliver() && !store.io.run_job()) REQUIRE(backend.advance_snapshots());
  }
  store.io.settle();
  REQUIRE(results.contains(1));
  REQUIRE_FALSE(results.at(1));
  CHECK(results.at(1).error().code == ErrorCode::cancelled);
  CHECK(table.table.snapshots_under_way() == 0);
  CHECK_FALSE(backend.advance_snapshots());
  CHECK(store.files.files().count("/chk-1/part-1") == 0);
  KeyedStateHandle handle = results.at(2).value();
  handle.pieces[0].file->path = "/chk-1/" + handle.pieces[0].file->path;
  CHECK(restored_model<std::int64_t>({handle}, 128, {0, 127}, store.files) == expected);
}

// ---- what does not fit, and what is damaged

ErrorCode code_of_restore(const KeyedStateHandle& handle, FileSystem& files) {
  ModelledTable<std::string> table(128, {0, 127});
  const Result<void> restored = HashMapStateBackend(table.table).restore({handle}, &files);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().retry == Retry::no);
  return restored.error().code;
}

TEST_CASE("hashmap state backend: states that do not fit the job are E-JOB-MISMATCH", "[state]") {
  Store store;
  ModelledTable<std::string> table(128, {0, 127});
  fill(table, 128, 10);
  const KeyedStateHandle good = store.snapshot(table, 0).value();
  const auto changed = [&](auto change) {
    KeyedStateHandle handle = good;
    change(handle.states[1]);
    return code_of_restore(handle, store.files);
  };
  CHECK(changed([](StateDescription& state) { state.name = "other"; }) == ErrorCode::job_mismatch);
  CHECK(changed([](StateDescription& state) { state.kind = "map"; }) == ErrorCode::job_mismatch);
  CHECK(changed([](StateDescription& state) { state.key_type = "int64"; }) ==
        ErrorCode::job_mismatch);
  CHECK(changed([](StateDescription& state) { state.value_type = "int32"; }) ==
        ErrorCode::job_mismatch);
}

TEST_CASE("hashmap state backend: the order in which states are declared does not matter",
          "[state]") {
  Store store;
  ModelledTable<std::string> table(128, {0, 127});
  fill(table, 128, 50);
  const KeyedStateHandle handle = store.snapshot(table, 0).value();
  KeyedTable<std::string> other(128, {0, 127});
  ValueState<double> added{"added"};
  ValueState<std::string> note{"note"};
  ValueState<std::int64_t> count{"count"};
  added.bind(other, "string");
  note.bind(other, "string");
  count.bind(other, "string");
  HashMapStateBackend(other).restore({handle}, &store.files).value();
  CHECK(other.size() == table.model.size());
  for (const auto& [key, row] : table.model) {
    other.set_current(key, key_hash_of<std::string>(key));
    CHECK((count.get() != nullptr ? std::optional(*count.get()) : std::nullopt) == row.count);
    CHECK((note.get() != nullptr ? std::optional(*note.get()) : std::nullopt) == row.note);
    CHECK(added.get() == nullptr);
  }
}

TEST_CASE("hashmap state backend: a state file that is gone is E-STATE-MISSING", "[state]") {
  Store store;
  ModelledTable<std::string> table(128, {0, 127});
  fill(table, 128, 10);
  const KeyedStateHandle handle = store.snapshot(table, 0).value();
  store.files.remove_file(handle.pieces[0].file->path).value();
  CHECK(code_of_restore(handle, store.files) == ErrorCode::state_missing);
}

TEST_CASE("hashmap state backend: a state file with any bit flipped is E-STATE-CORRUPT",
          "[state]") {
  Store store;
  ModelledTable<std::string> table(128, {0, 127});
  fill(table, 128, 8);
  const KeyedStateHandle handle = store.snapshot(table, 0).value();
  for (std::uint64_t offset = 0; offset < handle.pieces[0].file->length; ++offset) {
    INFO("offset " << offset);
    REQUIRE(store.files.flip_bit(handle.pieces[0].file->path, offset,
                                 static_cast<unsigned>(offset % 8)));
    REQUIRE(code_of_restore(handle, store.files) == ErrorCode::state_corrupt);
    REQUIRE(store.files.flip_bit(handle.pieces[0].file->path, offset,
                                 static_cast<unsigned>(offset % 8)));
  }
}

TEST_CASE("hashmap state backend: inline state cut anywhere is E-STATE-CORRUPT", "[state]") {
  Store store;
  ModelledTable<std::string> table(128, {0, 127});
  fill(table, 128, 8);
  KeyedStateHandle handle = store.snapshot(table, kAllInline).value();
  while (!handle.pieces[0].inline_bytes.empty()) {
    handle.pieces[0].inline_bytes.pop_back();
    REQUIRE(code_of_restore(handle, store.files) == ErrorCode::state_corrupt);
  }
}

TEST_CASE(
    "hashmap state backend: rows in a key group that is not theirs, or there twice, are "
    "E-STATE-CORRUPT",
    "[state]") {
  Store store;
  ModelledTable<std::string> table(128, {0, 127});
  std::string row;
  ByteWriter out(row);
  out.varint(1);
  out.text("a");
  out.i64(5);
  KeyedStateHandle handle{
      .key_groups = {0, 127}, .entries = 1, .states = table.table.descriptions(), .pieces = {{}}};
  const auto with_blocks = [&](const std::vector<int>& groups) {
    StateFileBuilder builder;
    handle.pieces[0].inline_bytes.clear();
    for (const int group : groups) handle.pieces[0].inline_bytes += builder.block(group, 1, row);
    handle.pieces[0].inline_bytes += builder.end();
    return handle;
  };
  ModelledTable<std::string> good(128, {0, 127});
  REQUIRE(HashMapStateBackend(good.table).restore({with_blocks({81})}, &store.files));
  CHECK(good.look_up("a").count == 5);
  CHECK(code_of_restore(with_blocks({80}), store.files) == ErrorCode::state_corrupt);
  CHECK(code_of_restore(with_blocks({81, 81}), store.files) == ErrorCode::state_corrupt);
}

/// A number and a map for each key.
struct TableWithMaps {
  TableWithMaps() {
    count.bind(table, "int64");
    prices.bind(table, "int64");
  }
  void set(std::int64_t key) { table.set_current(key, key_hash_of<std::int64_t>(key)); }

  std::map<std::string, std::int64_t> all_prices() const {
    std::map<std::string, std::int64_t> all;
    for (const auto& [name, price] : prices.entries()) all[name] = price;
    return all;
  }

  KeyedTable<std::int64_t> table{128, {0, 127}};
  ValueState<std::int64_t> count{"count"};
  MapState<std::string, std::int64_t> prices{"prices"};
};

TEST_CASE("hashmap state backend: rows with a state of many values restore to the same content",
          "[state]") {
  const std::uint64_t threshold = GENERATE(std::uint64_t{0}, kAllInline);
  Store store;
  TableWithMaps before;
  for (std::int64_t key = 0; key < 3000; ++key) {
    before.set(key);
    if (key % 3 != 0) before.count.update(-key);
    for (std::int64_t i = 0; i < key % 5; ++i) before.prices.put(std::to_string(i), key + i);
  }
  const KeyedStateHandle handle = store.snapshot(before.table, threshold).value();
  TableWithMaps after;
  REQUIRE(HashMapStateBackend(after.table).restore({handle}, &store.files));
  CHECK(after.table.size() == before.table.size());
  for (std::int64_t key = 0; key < 3000; ++key) {
    after.set(key);
    before.set(key);
    CHECK(after.count.value_or(1) == before.count.value_or(1));
    CHECK(after.all_prices() == before.all_prices());
  }
}

}  // namespace
}  // namespace streamrun
