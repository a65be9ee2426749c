#pragma once

#include <streamrun/platform/random.h>
#include <streamrun/state/keyed_state.h>
#include <streamrun/state/keyed_table.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// What one key has: the two states that the tables of these tests declare.
struct ModelRow {
  std::optional<std::int64_t> count;
  std::optional<std::string> note;
  bool operator==(const ModelRow&) const = default;
};
template <typename K>
using Model = std::map<K, ModelRow>;

/// A table of a number and a text per key next to a plain map that takes the same changes.
template <Key K>
class ModelledTable {
 public:
  ModelledTable(int max_parallelism, KeyGroupRange range) : table(max_parallelism, range) {
    count_.bind(table, TypeSerializer<K>::type_name());
    note_.bind(table, TypeSerializer<K>::type_name());
  }

  void change(const K& key, Random& random) {
    table.set_current(key, key_hash_of<K>(key));
    ModelRow& row = model[key];
    switch (random.below(6)) {
      case 0:
      case 1:
        row.count = static_cast<std::int64_t>(random.next());
        count_.update(*row.count);
        break;
      case 2:
        row.note = std::string(random.below(40), static_cast<char>('a' + random.below(26)));
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
    if (row == ModelRow()) model.erase(key);
  }
  ModelRow look_up(const K& key) {
    table.set_current(key, key_hash_of<K>(key));
    ModelRow row;
    if (const auto* const count = count_.get()) row.count = *count;
    if (const auto* const note = note_.get()) row.note = *note;
    return row;
  }
  bool agrees_on(const std::vector<K>& keys) {
    for (const K& key : keys) {
      const auto found = model.find(key);
      if (look_up(key) != (found != model.end() ? found->second : ModelRow())) return false;
    }
    return table.size() == model.size();
  }

  KeyedTable<K> table;
  Model<K> model;

 private:
  ValueState<std::int64_t> count_{"count"};
  ValueState<std::string> note_{"note"};
};

/// One snapshot in the making, and the model as it was when it started.
template <Key K>
class ModelledSnapshot {
 public:
  ModelledSnapshot(ModelledTable<K>& table, int max_parallelism)
      : expected(table.model), max_parallelism_(max_parallelism), table_(table.table) {
    snapshot_ = &table_.start_snapshot([this](int group, std::uint32_t rows, StateBytes& block) {
      take(group, rows,
           std::string(block.data() + kStateBlockHeader, block.size() - kStateBlockHeader));
      block.clear();
    });
  }
  bool advance(std::size_t slots) { return table_.advance(*snapshot_, slots); }
  void end() { table_.end_snapshot(*snapshot_); }

  const Model<K> expected;
  Model<K> seen;
  bool well_formed = true;  ///< every row can be read, is there once and in its own group

 private:
  /// Not the table's own reader, so that the two can't be wrong together.
  void take(int group, std::uint32_t rows, const std::string& payload) {
    ByteReader in(payload);
    for (; rows > 0; --rows) {
      const std::uint64_t present = in.varint();
      K key{};
      TypeSerializer<K>::read(in, key);
      ModelRow row;
      if ((present & 1U) != 0) TypeSerializer<std::int64_t>::read(in, row.count.emplace());
      if ((present & 2U) != 0) TypeSerializer<std::string>::read(in, row.note.emplace());
      well_formed &= !in.failed() && present != 0 && present < 4;
      well_formed &= key_group_of_hash(key_hash_of<K>(key), max_parallelism_) == group;
      well_formed &= seen.emplace(std::move(key), std::move(row)).second;
    }
    well_formed &= in.done();
  }

  int max_parallelism_;
  KeyedTable<K>& table_;
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
