#pragma once

#include <streamrun/platform/random.h>
#include <streamrun/state/keyed_state.h>
#include <streamrun/state/keyed_table.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// What one key has: the two states that the tables of these tests declare. With a text as note a
/// row has to be serialised by its owner; with a number it is copied and encoded later.
template <typename Note>
struct ModelRow {
  std::optional<std::int64_t> count;
  std::optional<Note> note;
  bool operator==(const ModelRow&) const = default;
};
/// A key and a note in one name, for test cases over several.
template <typename K, typename N>
struct Types {
  using KeyType = K;
  using Note = N;
};
using NumberText = Types<std::int64_t, std::string>;
using NumberNumber = Types<std::int64_t, std::int32_t>;
using TextText = Types<std::string, std::string>;
using TextNumber = Types<std::string, std::int32_t>;

template <typename K, typename Note = std::string>
using Model = std::map<K, ModelRow<Note>>;

/// A table of a number and a note per key next to a plain map that takes the same changes.
template <Key K, typename Note = std::string>
class ModelledTable {
  using Row = ModelRow<Note>;

 public:
  ModelledTable(int max_parallelism, KeyGroupRange range) : table(max_parallelism, range) {
    count_.bind(table, TypeSerializer<K>::type_name());
    note_.bind(table, TypeSerializer<K>::type_name());
  }

  void change(const K& key, Random& random) {
    table.set_current(key, key_hash_of<K>(key));
    Row& row = model[key];
    switch (random.below(6)) {
      case 0:
      case 1:
        row.count = static_cast<std::int64_t>(random.next());
        count_.update(*row.count);
        break;
      case 2:
        row.note = some_note(random);
        note_.update(*row.note);
        break;
      case 3:
        row.count.reset();
        count_.clear();
        break;
      case 4:
        row.note.reset();
        note_.clear();
        break;
      default:
        row = {};
        count_.clear();
        note_.clear();
    }
    if (row == Row()) model.erase(key);
  }
  Row look_up(const K& key) {
    table.set_current(key, key_hash_of<K>(key));
    Row row;
    if (const auto* const count = count_.get()) row.count = *count;
    if (const auto* const note = note_.get()) row.note = *note;
    return row;
  }
  bool agrees_on(const std::vector<K>& keys) {
    for (const K& key : keys) {
      const auto found = model.find(key);
      if (look_up(key) != (found != model.end() ? found->second : Row())) return false;
    }
    return table.size() == model.size();
  }

  KeyedTable<K> table;
  Model<K, Note> model;

 private:
  static Note some_note(Random& random) {
    if constexpr (std::is_same_v<Note, std::string>) {
      return std::string(random.below(40), static_cast<char>('a' + random.below(26)));
    } else {
      return static_cast<Note>(random.next());
    }
  }

  ValueState<std::int64_t> count_{"count"};
  ValueState<Note> note_{"note"};
};

/// One snapshot in the making, and the model as it was when it started. Its blocks are encoded when
/// `read_some` is called, or when it is done, as I/O threads may lag behind.
template <Key K, typename Note = std::string>
class ModelledSnapshot {
 public:
  ModelledSnapshot(ModelledTable<K, Note>& table, int max_parallelism,
                   const RowSelection* selection = nullptr)
      : expected(table.model),
        max_parallelism_(max_parallelism),
        table_(table.table),
        is_full_(selection == nullptr) {
    const auto emit = [this](SnapshotBlock block) {
      blocks_.push_back(std::move(block));
      return StateBytes();
    };
    snapshot_ = &table_.start_snapshot(emit, selection);
  }
  bool advance(std::size_t slots) {
    if (!table_.advance(*snapshot_, slots)) return false;
    read_some(blocks_.size());
    return true;
  }
  void read_some(std::size_t most) {
    for (std::size_t i = 0; i < most && !blocks_.empty(); ++i) {
      SnapshotBlock block = std::move(blocks_.front());
      blocks_.pop_front();
      copied = copied || block.encoder != nullptr;
      StateBytes scratch;
      block.encode(scratch);
      take(block.key_group, block.rows,
           std::string(block.bytes.data() + kStateBlockHeader,
                       block.bytes.size() - kStateBlockHeader));
    }
  }
  void end() { table_.end_snapshot(*snapshot_); }
  TableSnapshot& in_table() { return *snapshot_; }

  const Model<K, Note> expected;
  Model<K, Note> seen;
  std::set<K> removed;      ///< tombstones, which only a snapshot of some classes has
  bool well_formed = true;  ///< every row can be read, is there once and in its own group
  bool copied = false;      ///< rows came as they lay in the table

 private:
  /// Not the table's own reader, so that the two can't be wrong together.
  void take(int group, std::uint32_t rows, const std::string& payload) {
    ByteReader in(payload);
    for (; rows > 0; --rows) {
      const std::uint64_t present = in.varint();
      K key{};
      TypeSerializer<K>::read(in, key);
      ModelRow<Note> row;
      if ((present & 1U) != 0) TypeSerializer<std::int64_t>::read(in, row.count.emplace());
      if ((present & 2U) != 0) TypeSerializer<Note>::read(in, row.note.emplace());
      well_formed &= !in.failed() && (present != 0 || !is_full_) && present < 4;
      well_formed &= key_group_of_hash(key_hash_of<K>(key), max_parallelism_) == group;
      well_formed &= !removed.contains(key) && !seen.contains(key);
      if (present == 0) {
        removed.insert(std::move(key));
      } else {
        seen.emplace(std::move(key), std::move(row));
      }
    }
    well_formed &= in.done();
  }

  std::deque<SnapshotBlock> blocks_;
  int max_parallelism_;
  KeyedTable<K>& table_;
  bool is_full_;
  TableSnapshot* snapshot_ = nullptr;
};

/// Keys of the tests by number: texts on both sides of what fits inline.
template <typename K>
K key_of_number(std::uint64_t number);
template <>
inline std::int64_t key_of_number(std::uint64_t number) {
  return static_cast<std::int64_t>(number * 0x9e3779b97f4a7c15ULL);
}
template <>
inline std::string key_of_number(std::uint64_t number) {
  return number % 3 == 0 ? "a key too long for its slot " + std::to_string(number)
                         : "k" + std::to_string(number);
}
template <>
inline std::pair<std::string, std::int32_t> key_of_number(std::uint64_t number) {
  return {key_of_number<std::string>(number / 2), static_cast<std::int32_t>(number)};
}

/// Keys that fall into `range`.
template <typename K>
std::vector<K> some_keys(std::size_t count, int max_parallelism, KeyGroupRange range) {
  std::vector<K> keys;
  for (std::uint64_t number = 0; keys.size() < count; ++number) {
    K key = key_of_number<K>(number);
    if (range.contains(key_group_of_hash(key_hash_of<K>(key), max_parallelism)))
      keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace streamrun
