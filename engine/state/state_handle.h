#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/key_groups.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// A file that a snapshot refers to, with what it takes to know it again.
struct StateFile {
  /// A name in the snapshot's own folder, or `../shared/` and a name of `shared_file.h`, or an
  /// absolute path.
  std::string path;
  std::uint64_t length = 0;
  std::vector<std::uint32_t> crc32c;  ///< of each MiB, the last one shorter
  std::string xxh3;                   ///< XXH3-128 of all bytes, 32 hex digits
  bool operator==(const StateFile&) const = default;
};

/// One of RocksDB's table files, which hold a part of one state each: what a database has to know
/// to take it in again.
struct SstFile {
  int state = 0;             ///< its place in the handle's `states`
  KeyGroupRange key_groups;  ///< of the first and the last key
  int level = 0;
  std::uint64_t smallest_sequence = 0;
  std::uint64_t largest_sequence = 0;
  bool operator==(const SstFile&) const = default;
};

/// Where the bytes of one piece of state are: in the metadata itself when small, else in a file.
struct StateHandle {
  std::string inline_bytes;
  std::optional<StateFile> file;
  std::optional<SstFile> sst = {};  ///< none: the bytes are in the format of `state_file.h`
  std::uint64_t size() const { return file ? file->length : inline_bytes.size(); }
  bool operator==(const StateHandle&) const = default;
};

/// What a state is, as recorded in every snapshot: a restore checks it, an export reads it.
struct StateDescription {
  std::string name;
  std::string kind;  ///< `value`, `map`, …
  std::string key_type;
  std::string namespace_type;  ///< `void` outside windows
  std::string value_type;
  bool operator==(const StateDescription&) const = default;
};

/// A snapshot of the keyed state of one subtask.
struct KeyedStateHandle {
  KeyGroupRange key_groups;
  std::uint64_t entries = 0;
  std::vector<StateDescription> states;
  /// In the format of `state_file.h`, oldest first: a later one overrides an earlier one key by
  /// key, and a row without values is a removal. Or all of them are RocksDB's, in any order; then
  /// `entries` is an estimate.
  std::vector<StateHandle> pieces;
  bool operator==(const KeyedStateHandle&) const = default;
};

/// How the parts of an operator (non-keyed) list state are dealt out when the parallelism changes.
enum class Redistribution {
  split,       ///< element by element, evenly
  union_all,   ///< all elements to each
  broadcast,   ///< each has the same
  by_subtask,  ///< the whole list of an old subtask to one new one, in order
};

/// One list state of one subtask; elements are opaque to the engine.
struct OperatorListState {
  std::string name;
  std::string type;  ///< version and type of the elements
  Redistribution redistribution = Redistribution::split;
  std::vector<std::string> elements;
  bool operator==(const OperatorListState&) const = default;
};

/// Which new subtasks the records in flight to an old one go to when the parallelism changes.
/// Flink's name; the values depend on the exchange.
enum class SubtaskStateMapper {
  range,        ///< of a keyed exchange: those whose key groups overlap, each record to its owner
  round_robin,  ///< of any other that distributes: new subtask i modulo the new parallelism
};

/// Records that a barrier overtook on one input edge of one subtask: they were sent before it and
/// not read yet.
struct InFlightHandle {
  OperatorId upstream;  ///< whose records they are
  SubtaskStateMapper mapper = SubtaskStateMapper::range;
  std::string type;  ///< of a record
  std::uint64_t records = 0;
  StateHandle data;  ///< blocks in the format of `state_file.h`, each a batch, in their order
  bool operator==(const InFlightHandle&) const = default;
};

/// All state of one operator in one subtask.
struct OperatorSubtaskState {
  std::vector<KeyedStateHandle> keyed;
  std::vector<OperatorListState> lists;
  std::vector<InFlightHandle> in_flight = {};  ///< of an unaligned checkpoint
  bool empty() const { return keyed.empty() && lists.empty() && in_flight.empty(); }
  bool operator==(const OperatorSubtaskState&) const = default;
};

/// Calls `use` with each handle of data that the state has; `State` may be const.
template <typename State, typename F>
void for_each_data(State& state, F&& use) {
  for (auto& keyed : state.keyed) {
    for (auto& piece : keyed.pieces) use(piece);
  }
  for (auto& in_flight : state.in_flight) use(in_flight.data);
}

}  // namespace streamrun
