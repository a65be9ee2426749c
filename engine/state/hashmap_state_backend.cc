#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace streamrun {
namespace {

/// Slots whose rows are serialised between two batches. Larger slices make the checkpoint faster;
/// smaller ones leave more of the thread to records, and shorten the pause.
constexpr std::size_t kSlice = 2048;
/// Slices that are lent between two batches, at most: that costs little, whatever is in them.
constexpr int kLentSlices = 32;

std::string text_of(const StateDescription& state) {
  return state.kind + " \"" + state.name + "\" of " + state.key_type + " -> " + state.value_type;
}

/// What the table has to do with the values of a state of the snapshot, if they are of an older
/// type: null if not. Keys decide where they are, so theirs can't be another.
Result<std::shared_ptr<const TypeMigration>> migration_of(const StateDescription& saved, int number,
                                                          KeyedTableBase& table) {
  const StateDescription* const declared =
      number >= 0 ? &table.descriptions()[static_cast<std::size_t>(number)] : nullptr;
  if (declared != nullptr && saved == *declared) return std::shared_ptr<const TypeMigration>();
  if (declared != nullptr && saved.kind == declared->kind && saved.key_type == declared->key_type &&
      saved.namespace_type == declared->namespace_type) {
    const auto old = TypeDescriptor::parse(saved.value_type);
    auto migration =
        old ? TypeMigration::between(*old, table.describe_state(number)) : std::nullopt;
    if (migration) return std::make_shared<const TypeMigration>(*std::move(migration));
  }
  return Error{.code = ErrorCode::job_mismatch,
               .message = "the state in the snapshot does not fit the job",
               .why = "snapshot: " + text_of(saved) + "; job: " +
                      (declared != nullptr ? text_of(*declared) : "no state of that name"),
               .retry = Retry::no};
}

/// For each state of the snapshot its number in the table, which is told which are of older types.
Result<std::vector<int>> match_states(const std::vector<StateDescription>& saved,
                                      KeyedTableBase& table) {
  const std::vector<StateDescription>& declared = table.descriptions();
  std::vector<int> numbers;
  for (const StateDescription& state : saved) {
    int number = -1;
    for (std::size_t i = 0; i < declared.size(); ++i) {
      if (declared[i].name == state.name) number = static_cast<int>(i);
    }
    auto migration = SR_TRY(migration_of(state, number, table));
    table.migrate_state(number, std::move(migration));
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

Result<void> HashMapStateBackend::restore(const std::vector<KeyedStateHandle>& handles,
                                          FileSystem* file_system) {
  for (const KeyedStateHandle& handle : handles) SR_TRY(restore_one(handle, file_system));
  return {};
}

Result<void> HashMapStateBackend::restore_one(const KeyedStateHandle& handle,
                                              FileSystem* file_system) {
  const std::vector<int> numbers = SR_TRY(match_states(handle.states, table_));
  SR_ASSERT(handle.pieces.size() == 1, "a snapshot of this backend has one piece");
  const StateFileReader reader = SR_TRY(open_state(handle.pieces.front(), file_system));
  std::map<int, std::size_t> rows_of_group;
  for (const StateBlock& block : reader.blocks()) rows_of_group[block.key_group] += block.rows;
  for (const auto& [group, rows] : rows_of_group) {
    if (table_.key_groups().contains(group)) table_.reserve(group, rows);
  }
  StateBytes buffer;
  for (const StateBlock& block : reader.blocks()) {
    if (!table_.key_groups().contains(block.key_group)) continue;
    const std::string_view payload = SR_TRY(reader.payload(block, buffer));
    if (!table_.restore_rows(block.key_group, block.rows, payload, numbers)) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "state file holds rows that can't be read",
                   .where = reader.name() + ", offset " + std::to_string(block.offset),
                   .retry = Retry::no};
    }
  }
  return {};
}

void HashMapStateBackend::snapshot(CheckpointId id, std::shared_ptr<SnapshotFileWriter> writer,
                                   bool compressed, Done done) {
  auto builder = std::make_shared<StateFileBuilder>(compressed);
  TableSnapshot& snapshot = table_.start_snapshot([writer, builder](SnapshotBlock block) {
    StateBytes rows = std::exchange(block.bytes, {});
    const std::size_t lent = block.lent_bytes();
    auto encode = [builder, block = std::move(block)](StateBytes& bytes,
                                                      StateBytes& scratch) mutable {
      block.bytes = std::move(bytes);
      block.encode(scratch);
      bytes = std::move(block.bytes);
      if (block.rows == 0) return bytes.clear();
      builder->begin_block(bytes, scratch, block.key_group, block.rows);
      seal_state_block(bytes);
    };
    writer->append(std::move(rows), std::move(encode), lent);
    return writer->take_spare();
  });
  running_.push_back({id, &snapshot, std::move(writer), std::move(builder), std::move(done)});
}

void HashMapStateBackend::abort(CheckpointId id) {
  for (auto it = running_.begin(); it != running_.end();) {
    const auto each = it++;
    if (each->id != id) continue;
    each->writer->abandon([done = std::move(each->done)](const Result<StateHandle>& cancelled) {
      done(cancelled.error());
    });
    if (each->snapshot != nullptr) table_.end_snapshot(*each->snapshot);
    running_.erase(each);
  }
}

bool HashMapStateBackend::advance_snapshots() {
  bool more = false;
  for (auto it = running_.begin(); it != running_.end();) {
    const auto each = it++;
    if (each->snapshot == nullptr) continue;
    if (advance(*each)) {
      complete(each);
    } else {
      more = more || !each->writer->is_behind();
    }
  }
  return more;
}

bool HashMapStateBackend::advance(const Running& running) {
  const bool is_cheap = running.snapshot->lends() && !running.writer->is_in_memory();
  for (int slices = is_cheap ? kLentSlices : 1; slices > 0; --slices) {
    if (running.writer->is_behind()) return false;
    if (table_.advance(*running.snapshot, kSlice)) return true;
  }
  return false;
}

void HashMapStateBackend::complete(std::list<Running>::iterator running) {
  table_.end_snapshot(*std::exchange(running->snapshot, nullptr));
  running->writer->append(StateBytes(),
                          [builder = running->builder](StateBytes& bytes, StateBytes&) {
                            const std::string index = builder->end();
                            std::copy(index.begin(), index.end(), bytes.extend(index.size()));
                          });
  KeyedStateHandle handle{.key_groups = table_.key_groups(),
                          .entries = 0,
                          .states = table_.descriptions(),
                          .pieces = {}};
  const std::shared_ptr<SnapshotFileWriter> writer = running->writer;
  writer->finish([this, running, handle = std::move(handle)](Result<StateHandle> data) mutable {
    const Running ended = std::move(*running);
    running_.erase(running);
    if (!data) return ended.done(std::move(data).error());
    handle.entries = ended.builder->rows();
    handle.pieces.push_back(*std::move(data));
    ended.done(std::move(handle));
  });
}

}  // namespace streamrun
