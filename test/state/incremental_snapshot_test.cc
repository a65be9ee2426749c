#include <streamrun/state/hashmap_state_backend.h>

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "state_store.h"

namespace streamrun {
namespace {

/// So small that a few hundred rows are a chain of many pieces.
constexpr ChainLimits kSmall{.small_bytes = 1,
                             .full_pieces = 8,
                             .least_piece_bytes = 1,
                             .kept = 1.9,
                             .most_pieces = 24,
                             .inline_bytes = 2000,
                             .most_written = 0.25};

KeyedStateHandle with_paths(KeyedStateHandle handle) {
  for (StateHandle& piece : handle.pieces) {
    if (piece.file) piece.file->path = "/chk-1/" + piece.file->path;
  }
  return handle;
}

std::uint64_t bytes_of(const KeyedStateHandle& handle) {
  std::uint64_t bytes = 0;
  for (const StateHandle& piece : handle.pieces) bytes += piece.size();
  return bytes;
}

/// Removes the files that nobody refers to.
void keep_only(sim::MemoryFileSystem& files, const std::vector<KeyedStateHandle>& handles) {
  std::set<std::string> kept;
  for (const KeyedStateHandle& handle : handles) {
    for (const StateHandle& piece : handle.pieces) {
      if (piece.file) kept.insert(piece.file->path);
    }
  }
  std::vector<std::string> gone;
  for (const auto& [path, content] : files.files()) {
    if (!kept.contains(path)) gone.push_back(path);
  }
  for (const std::string& path : gone) files.remove_file(path).value();
}

/// One snapshot from begin to end.
Result<KeyedStateHandle> take(HashMapStateBackend& backend, Store& store, CheckpointId id,
                              SharingFilesStrategy sharing = SharingFilesStrategy::forward_backward,
                              std::uint64_t inline_threshold = 0) {
  std::optional<Result<KeyedStateHandle>> result;
  backend.snapshot(
      id, sharing,
      [&store, inline_threshold] {
        return store.writer("state-" + std::to_string(++store.names), inline_threshold);
      },
      store.compressed, [&](Result<KeyedStateHandle> handle) { result = std::move(handle); });
  while (!result) {
    const bool more = backend.advance_snapshots();
    const bool moved = store.io.deliver() || store.io.run_job();
    REQUIRE((more || moved || result));
  }
  store.io.settle();
  if (!*result) return std::move(*result).error();
  return with_paths(**std::move(result));
}

/// Random changes and snapshots: of all that complete the content is compared.
template <typename K, typename Note>
class RandomHistory {
 public:
  RandomHistory(std::uint64_t seed, int max_parallelism, std::size_t most_under_way)
      : random_(seed),
        max_parallelism_(max_parallelism),
        most_under_way_(most_under_way),
        table_(max_parallelism, {0, max_parallelism - 1}),
        backend_(table_.table, kSmall),
        keys_(some_keys<K>(2400, max_parallelism, {0, max_parallelism - 1})) {
    store_.compressed = random_.below(2) == 0;
  }

  void run(std::size_t checkpoints) {
    for (int i = 0; i < 4000; ++i) table_.change(any_key(), random_);
    while (completed_ < checkpoints) {
      change();
      if (taken_.size() < most_under_way_ && random_.below(40) == 0) begin();
      if (random_.below(3) != 0) backend_.advance_snapshots();
      if (random_.below(2) == 0) store_.io.run_job();
      if (random_.below(2) == 0) store_.io.deliver();
      end_some();
      if (taken_.empty() && newest_) keep_only(store_.files, {*newest_});
    }
    CHECK(table_.agrees_on(keys_));
    CHECK(deepest_ > 10);
    CHECK(increments_ > checkpoints / 2);
  }

 private:
  struct Taken {
    CheckpointId id;
    bool is_savepoint;
    Model<K, Note> expected;
    std::optional<Result<KeyedStateHandle>> result;
  };

  void change() {
    const std::uint64_t draw = random_.below(4000);
    if (draw == 0) {  // much at once
      for (std::size_t i = 0; i < 1500; ++i) table_.change(any_key(), random_);
    } else if (draw < 4) {  // all rows of some keys go
      for (std::size_t i = 0; i < 60; ++i) clear(any_key());
    } else {
      table_.change(any_key(), random_);
    }
  }
  /// Few are in use at first; later ones come and go.
  const K& any_key() {
    return keys_[random_.below(1500 + std::min<std::uint64_t>(900, 10 * completed_))];
  }
  void clear(const K& key) {
    for (int i = 0; i < 30 && table_.model.contains(key); ++i) table_.change(key, random_);
  }
  void begin() {
    const bool is_savepoint = random_.below(8) == 0;
    Taken& taken = taken_.emplace_back(Taken{++last_id_, is_savepoint, table_.model, {}});
    backend_.snapshot(
        taken.id,
        is_savepoint ? SharingFilesStrategy::no_sharing : SharingFilesStrategy::forward_backward,
        [this] { return store_.writer("state-" + std::to_string(++store_.names), threshold_); },
        store_.compressed,
        [&taken](Result<KeyedStateHandle> handle) { taken.result.emplace(std::move(handle)); });
  }
  void end_some() {
    for (auto it = taken_.begin(); it != taken_.end();) {
      const auto each = it++;
      const bool is_done = each->result.has_value();
      if (random_.below(is_done ? 3 : 400) != 0) continue;
      if (!is_done || random_.below(6) == 0) {
        abort(each);
      } else {
        complete(each);
        return;
      }
    }
  }
  void abort(typename std::list<Taken>::iterator each) {
    backend_.abort(each->id);
    while (!each->result) REQUIRE((store_.io.deliver() || store_.io.run_job()));
    taken_.erase(each);
  }
  void complete(typename std::list<Taken>::iterator each) {
    INFO("snapshot " << each->id << " after " << completed_ << " complete ones");
    REQUIRE(each->result->has_value());
    const KeyedStateHandle handle = with_paths(**each->result);
    REQUIRE(handle.entries == each->expected.size());
    check(handle, each->expected);
    const CheckpointId id = each->id;
    const bool is_savepoint = each->is_savepoint;
    if (!is_savepoint) {
      increments_ += !newest_ || handle.pieces.front() == newest_->pieces.front() ? 1 : 0;
      deepest_ = std::max(deepest_, handle.pieces.size());
      newest_ = handle;
      ++completed_;
    }
    taken_.erase(each);
    if (is_savepoint) return;
    backend_.notify_complete(id);
    for (auto it = taken_.begin(); it != taken_.end();) {
      const auto other = it++;
      if (other->id < id && !other->is_savepoint) abort(other);
    }
  }
  void check(const KeyedStateHandle& handle, const Model<K, Note>& expected) {
    const int parallelism = static_cast<int>(1 + random_.below(3));
    Model<K, Note> restored;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      const KeyGroupRange range = key_group_range_of(subtask, parallelism, max_parallelism_);
      restored.merge(restored_model<K, Note>({handle}, max_parallelism_, range, store_.files));
    }
    std::size_t lost = 0;
    std::size_t outdated = 0;
    for (const auto& [key, row] : expected) {
      const auto found = restored.find(key);
      lost += found == restored.end() ? 1 : 0;
      outdated += found != restored.end() && found->second != row ? 1 : 0;
    }
    INFO(handle.pieces.size() << " pieces, " << expected.size() << " rows, " << lost << " lost, "
                              << outdated << " outdated, restored " << restored.size());
    REQUIRE((restored == expected));
  }

  Store store_;
  SeededRandom random_;
  int max_parallelism_;
  std::size_t most_under_way_;
  ModelledTable<K, Note> table_;
  HashMapStateBackend backend_;
  std::vector<K> keys_;
  std::list<Taken> taken_;
  std::optional<KeyedStateHandle> newest_;
  std::uint64_t threshold_ = 300;
  CheckpointId last_id_ = 0;
  std::size_t completed_ = 0;
  std::size_t increments_ = 0;
  std::size_t deepest_ = 0;
};

TEMPLATE_TEST_CASE(
    "incremental snapshot: with what it refers to it is the table as it was (S1, S7)", "[state]",
    NumberText, NumberNumber, TextNumber) {
  const std::uint64_t seed = GENERATE(1, 2, 3);
  const std::size_t under_way = GENERATE(1, 3);
  const int max_parallelism = seed == 3 ? 3 : 16;
  INFO("seed " << seed << ", under way " << under_way);
  RandomHistory<typename TestType::KeyType, typename TestType::Note>(seed, max_parallelism,
                                                                     under_way)
      .run(90);
}

/// About 100 bytes with its key of 8.
struct Account {
  std::int64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0;
};
struct Accounts {
  Accounts() { account.bind(table, "int64"); }
  void set(std::int64_t key) { table.set_current(key, key_hash_of<std::int64_t>(key)); }
  void update(std::int64_t key, std::int64_t value) {
    set(key);
    account.update({.a = value});
  }
  void clear(std::int64_t key) {
    set(key);
    account.clear();
  }

  KeyedTable<std::int64_t> table{128, {0, 127}};
  ValueState<Account> account{"account"};
};

/// What is in a handle: key and the first number of its value.
std::map<std::int64_t, std::int64_t> restored(const KeyedStateHandle& handle, FileSystem& files) {
  Accounts into;
  REQUIRE(HashMapStateBackend(into.table).restore({handle}, &files));
  std::map<std::int64_t, std::int64_t> content;
  KeyedTable<std::int64_t>::Cursor cursor;
  into.table.visit(cursor, std::size_t{1} << 40U, [&](std::byte* row, int) {
    content[into.table.key_of(row)] =
        reinterpret_cast<const Account*>(row + into.table.offset_of(0))->a;
  });
  CHECK(content.size() == into.table.size());
  return content;
}

TEST_CASE("incremental snapshot: written and kept bytes stay bounded over uniform changes",
          "[state]") {
  constexpr std::int64_t kRows = 200'000;
  constexpr std::size_t kChanged = kRows / 100;
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, {.least_piece_bytes = 1});
  SeededRandom random(1);
  std::vector<std::int64_t> model(kRows);
  for (std::int64_t key = 0; key < kRows; ++key) accounts.update(key, 0);
  KeyedStateHandle newest = take(backend, store, 1).value();
  backend.notify_complete(1);
  const auto live = static_cast<double>(bytes_of(newest));
  CHECK(newest.pieces.size() > 40);
  double written = 0;
  double changed = 0;
  std::size_t most_pieces = 0;
  for (CheckpointId id = 2; id <= 302; ++id) {
    std::set<std::int64_t> keys;
    for (std::size_t i = 0; i < kChanged; ++i) {
      const auto key = static_cast<std::int64_t>(random.below(kRows));
      accounts.update(key, ++model[static_cast<std::size_t>(key)]);
      keys.insert(key);
    }
    std::set<std::string> before;
    for (const StateHandle& piece : newest.pieces) before.insert(piece.file->path);
    newest = take(backend, store, id).value();
    backend.notify_complete(id);
    for (const StateHandle& piece : newest.pieces)
      written += before.contains(piece.file->path) ? 0.0 : static_cast<double>(piece.size());
    changed += live / kRows * static_cast<double>(keys.size());
    REQUIRE(static_cast<double>(bytes_of(newest)) <= 2 * live);
    most_pieces = std::max(most_pieces, newest.pieces.size());
    keep_only(store.files, {newest});
  }
  INFO("written / changed " << written / changed << ", most pieces " << most_pieces);
  CHECK(written <= 1.4 * changed);
  CHECK(most_pieces <= 200);
  const auto content = restored(newest, store.files);
  REQUIRE(content.size() == model.size());
  for (const auto& [key, value] : content) REQUIRE(value == model[static_cast<std::size_t>(key)]);
}

TEST_CASE("incremental snapshot: what was removed stays removed, and may come again", "[state]") {
  ChainLimits limits = kSmall;
  limits.most_written = 100;  // always an increment
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, limits);
  std::map<std::int64_t, std::int64_t> model;
  CheckpointId id = 0;
  const auto check = [&] {
    const KeyedStateHandle handle = take(backend, store, ++id).value();
    CHECK(handle.entries == model.size());
    REQUIRE((restored(handle, store.files) == model));
    backend.notify_complete(id);
    keep_only(store.files, {handle});
  };
  const auto put = [&](std::int64_t key, std::int64_t value) {
    accounts.update(key, value);
    model[key] = value;
  };
  for (std::int64_t key = 0; key < 2000; ++key) put(key, 1);
  check();
  for (std::int64_t key = 0; key < 100; ++key) accounts.clear(key);
  for (std::int64_t key = 0; key < 100; ++key) model.erase(key);
  check();
  // The tables grow: the removed rows are gone from them, the tombstones stay.
  for (std::int64_t key = 10000; key < 14000; ++key) put(key, 2);
  check();
  for (std::int64_t key = 50; key < 150; ++key) put(key, 3);
  check();
  for (std::int64_t key = 0; key < 14000; ++key) accounts.clear(key);
  model.clear();
  check();
  check();
  for (std::int64_t key = 0; key < 300; ++key) put(key, 4);
  check();
}

TEST_CASE("incremental snapshot: rows that come and go between two take no room", "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, kSmall);
  for (std::int64_t key = 0; key < 1000; ++key) accounts.update(key, 1);
  const KeyedStateHandle first = take(backend, store, 1).value();
  backend.notify_complete(1);
  const std::size_t before = accounts.table.row_bytes();
  for (std::int64_t key = 10'000; key < 300'000; ++key) {
    accounts.update(key, 1);
    accounts.clear(key);
    if (key % 50'000 != 0) continue;
    // Nor do snapshots that fail change that.
    REQUIRE(take(backend, store, key));
    backend.abort(key);
  }
  CHECK(accounts.table.row_bytes() <= 4 * before);
  const KeyedStateHandle handle = take(backend, store, 1'000'000).value();
  CHECK(restored(handle, store.files).size() == 1000);
  CHECK(bytes_of(handle) < bytes_of(first) + 10'000);
}

TEST_CASE("incremental snapshot: hundreds that fail in a row lose nothing", "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, kSmall);
  std::map<std::int64_t, std::int64_t> model;
  const auto put = [&](std::int64_t key, std::int64_t value) {
    accounts.update(key, value);
    model[key] = value;
  };
  for (std::int64_t key = 0; key < 3000; ++key) put(key, 0);
  REQUIRE(take(backend, store, 1));
  backend.notify_complete(1);
  CheckpointId id = 1;
  for (std::int64_t round = 1; round <= 700; ++round) {
    put(round, round);
    if (round % 3 == 0) put(100'000 + round, round);
    if (round % 5 == 0) {
      accounts.clear(2000 + round);
      model.erase(2000 + round);
    }
    REQUIRE(take(backend, store, ++id));
    backend.abort(id);
  }
  const KeyedStateHandle handle = take(backend, store, ++id).value();
  REQUIRE((restored(handle, store.files) == model));
  CHECK(handle.pieces.size() > 5);
  CHECK(handle.pieces.back().size() < 200'000);
}

TEST_CASE("incremental snapshot: a failing call at any step fails it, and the next one works (D5)",
          "[state]") {
  const bool first = GENERATE(true, false);
  for (std::uint64_t step = 1;; ++step) {
    INFO("step " << step);
    Store store;
    Accounts accounts;
    HashMapStateBackend backend(accounts.table, kSmall);
    for (std::int64_t key = 0; key < 500; ++key) accounts.update(key, 1);
    std::vector<KeyedStateHandle> kept;
    if (!first) {
      kept.push_back(take(backend, store, 1).value());
      backend.notify_complete(1);
    }
    for (std::int64_t key = 0; key < 50; ++key) accounts.update(key, 2);
    const std::uint64_t before = store.files.steps();
    store.files.fail_call(before + step, {.code = ErrorCode::store_io, .message = "broken"});
    const Result<KeyedStateHandle> failed = take(backend, store, 2);
    if (failed) break;
    CHECK(failed.error().code == ErrorCode::store_io);
    std::size_t files = 0;
    for (const KeyedStateHandle& handle : kept) files += handle.pieces.size();
    CHECK(store.files.files().size() <= files + 1);  // the removal may have failed
    const KeyedStateHandle next = take(backend, store, 3).value();
    const auto content = restored(next, store.files);
    REQUIRE(content.size() == 500);
    CHECK(content.at(7) == 2);
    CHECK(content.at(77) == 1);
  }
}

/// Whether `next` needs anything that `before` has.
bool builds_on(const KeyedStateHandle& next, const KeyedStateHandle& before) {
  return std::any_of(next.pieces.begin(), next.pieces.end(), [&](const StateHandle& piece) {
    return std::find(before.pieces.begin(), before.pieces.end(), piece) != before.pieces.end();
  });
}

TEST_CASE("incremental snapshot: a full one refers to none before it, and those behind it to it",
          "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, kSmall);
  for (std::int64_t key = 0; key < 2000; ++key) accounts.update(key, 1);
  const auto next = [&](CheckpointId id, SharingFilesStrategy sharing) {
    accounts.update(static_cast<std::int64_t>(id), 2);
    const KeyedStateHandle handle = take(backend, store, id, sharing).value();
    CHECK(restored(handle, store.files).size() == 2000);
    CHECK(restored(handle, store.files).at(static_cast<std::int64_t>(id)) == 2);
    backend.notify_complete(id);
    return handle;
  };
  const KeyedStateHandle first = next(1, SharingFilesStrategy::forward_backward);
  const KeyedStateHandle second = next(2, SharingFilesStrategy::forward_backward);
  CHECK(builds_on(second, first));
  const KeyedStateHandle full = next(3, SharingFilesStrategy::forward);
  CHECK_FALSE(builds_on(full, second));
  keep_only(store.files, {full});
  const KeyedStateHandle last = next(4, SharingFilesStrategy::forward_backward);
  CHECK(builds_on(last, full));
}

TEST_CASE("incremental snapshot: what is known to be complete twice, or too late, changes nothing",
          "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, kSmall);
  for (std::int64_t key = 0; key < 2000; ++key) accounts.update(key, 1);
  const KeyedStateHandle first = take(backend, store, 1).value();
  backend.notify_complete(1);
  const KeyedStateHandle second = take(backend, store, 2).value();
  backend.notify_complete(2);
  backend.notify_complete(2);
  backend.notify_complete(1);
  CHECK(builds_on(take(backend, store, 3).value(), second));
}

TEST_CASE("incremental snapshot: none builds on one that is older than the newest complete one",
          "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, kSmall);
  for (std::int64_t key = 0; key < 2000; ++key) accounts.update(key, 1);
  const KeyedStateHandle first = take(backend, store, 1).value();
  backend.notify_complete(1);
  backend.notify_complete(2);  // of which the backend has not heard: files of the first may be gone
  const KeyedStateHandle third = take(backend, store, 3).value();
  CHECK_FALSE(builds_on(third, first));
  CHECK(restored(third, store.files).size() == 2000);
}

TEST_CASE("incremental snapshot: in memory, and of little, each is whole", "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend in_memory(accounts.table, kSmall);
  for (std::int64_t key = 0; key < 500; ++key) accounts.update(key, 1);
  for (CheckpointId id = 1; id <= 3; ++id) {
    std::optional<Result<KeyedStateHandle>> result;
    in_memory.snapshot(
        id, SharingFilesStrategy::forward_backward,
        [&] {
          return std::make_shared<SnapshotFileWriter>(store.io, store.io.poster(), nullptr, "", "",
                                                      0);
        },
        false, [&](Result<KeyedStateHandle> handle) { result = std::move(handle); });
    while (!result) in_memory.advance_snapshots();
    CHECK((**result).pieces.size() == 1);
    CHECK(restored(**result, store.files).size() == 500);
    in_memory.notify_complete(id);
  }
  HashMapStateBackend of_little(accounts.table, ChainLimits{});
  for (CheckpointId id = 1; id <= 3; ++id) {
    const KeyedStateHandle handle = take(of_little, store, id).value();
    CHECK(handle.pieces.size() == 1);
    CHECK(restored(handle, store.files).size() == 500);
    of_little.notify_complete(id);
  }
}

TEST_CASE("incremental snapshot: a damaged or missing piece of many is found out", "[state]") {
  Store store;
  Accounts accounts;
  HashMapStateBackend backend(accounts.table, kSmall);
  KeyedStateHandle handle;
  for (CheckpointId id = 1; id <= 6; ++id) {
    for (std::int64_t key = 0; key < 400; key += id) accounts.update(key, id);
    handle = take(backend, store, id).value();
    backend.notify_complete(id);
  }
  REQUIRE(handle.pieces.size() > 3);
  const auto code_of = [&] {
    Accounts into;
    const Result<void> result = HashMapStateBackend(into.table).restore({handle}, &store.files);
    return result ? ErrorCode::bug : result.error().code;
  };
  REQUIRE(code_of() == ErrorCode::bug);
  for (const StateHandle& piece : handle.pieces) {
    const std::uint64_t middle = piece.size() / 2;
    REQUIRE(store.files.flip_bit(piece.file->path, middle, 3));
    CHECK(code_of() == ErrorCode::state_corrupt);
    REQUIRE(store.files.flip_bit(piece.file->path, middle, 3));
  }
  store.files.remove_file(handle.pieces[1].file->path).value();
  CHECK(code_of() == ErrorCode::state_missing);
}

TEST_CASE(
    "incremental snapshot: a key in two snapshots is E-STATE-CORRUPT, in two pieces of one not",
    "[state]") {
  Accounts accounts;
  std::string row;
  ByteWriter out(row);
  out.varint(0);
  out.i64(5);
  StateFileBuilder builder;
  const int group = key_group_of_hash(key_hash_of<std::int64_t>(5), 128);
  const std::string block = builder.block(group, 1, row);
  const StateHandle piece{.inline_bytes = block + builder.end(), .file = {}};
  const KeyedStateHandle handle{.key_groups = {0, 127},
                                .entries = 0,
                                .states = accounts.table.descriptions(),
                                .pieces = {piece, piece}};
  REQUIRE(HashMapStateBackend(accounts.table).restore({handle}, nullptr));
  CHECK(accounts.table.size() == 0);
  Accounts again;
  const auto twice = HashMapStateBackend(again.table).restore({handle, handle}, nullptr);
  // The tombstones of the first are gone by then, or they would say so.
  if (!twice) CHECK(twice.error().code == ErrorCode::state_corrupt);
}

}  // namespace
}  // namespace streamrun
