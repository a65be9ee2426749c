#include "rocksdb_keyed_state_backend.h"

#include <streamrun/state/match_states.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

namespace streamrun {

RocksDbKeyedStateBackend::RocksDbKeyedStateBackend(KeyedTableBase& table,
                                                   const KeyedStateBackendContext& context,
                                                   std::shared_ptr<Database> database,
                                                   std::size_t write_batch_bytes,
                                                   std::function<std::size_t()> most_cached_bytes,
                                                   std::function<void()> closed)
    : table_(table),
      io_(context.io),
      post_(context.post),
      closed_(std::move(closed)),
      database_(std::move(database)),
      store_(database_, write_batch_bytes, std::move(most_cached_bytes)) {
  table_.keep_rows_in(store_);
}

RocksDbKeyedStateBackend::~RocksDbKeyedStateBackend() {
  closed_();
}

Result<void> RocksDbKeyedStateBackend::restore(const std::vector<KeyedStateHandle>& handles,
                                               FileSystem* file_system) {
  for (const KeyedStateHandle& handle : handles) SR_TRY(restore_one(handle, file_system));
  return {};
}

Result<void> RocksDbKeyedStateBackend::restore_one(const KeyedStateHandle& handle,
                                                   FileSystem* file_system) {
  const std::vector<int> numbers = SR_TRY(match_states(handle.states, table_));
  // The oldest first: later ones override it.
  for (const StateHandle& piece : handle.pieces) {
    const StateFileReader reader = SR_TRY(open_state(piece, file_system));
    SR_TRY(restore_piece(reader, numbers, &piece == &handle.pieces.front()));
  }
  try {
    store_.commit();
  } catch (const ErrorException& thrown) {
    return thrown.error();
  }
  for (std::size_t i = 0; i < table_.descriptions().size(); ++i)
    table_.migrate_state(static_cast<int>(i), nullptr);
  return {};
}

Result<void> RocksDbKeyedStateBackend::restore_piece(const StateFileReader& piece,
                                                     const std::vector<int>& numbers,
                                                     bool is_oldest) {
  StateBytes buffer;
  const auto states = static_cast<int>(table_.descriptions().size());
  const auto store_row = [&](std::string_view key, std::uint32_t present,
                             const std::string_view* values) {
    for (int state = 0; state < states; ++state) {
      if ((present >> static_cast<unsigned>(state) & 1U) != 0) {
        store_.put(state, key, values[state]);
      } else if (!is_oldest) {
        store_.remove(state, key);
      }
    }
  };
  try {
    for (const StateBlock& block : piece.blocks()) {
      if (!table_.key_groups().contains(block.key_group)) continue;
      const std::string_view payload = SR_TRY(piece.payload(block, buffer));
      if (table_.split_rows(block.key_group, block.rows, payload, numbers, store_row)) continue;
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "state file holds rows that can't be read",
                   .where = piece.name() + ", offset " + std::to_string(block.offset),
                   .retry = Retry::no};
    }
  } catch (const ErrorException& thrown) {
    return thrown.error();
  }
  return {};
}

void RocksDbKeyedStateBackend::snapshot(CheckpointId id, SharingFilesStrategy,
                                        MakeWriter make_writer, bool compressed, Done done) {
  table_.write_back();
  auto running = std::make_shared<Running>();
  running->id = id;
  running->scan = std::make_shared<SnapshotScan>(database_, table_);
  running->writer = make_writer();
  running->builder = std::make_shared<StateFileBuilder>(compressed);
  running->done = std::move(done);
  running_.push_back(running);
  read_on(running);
}

void RocksDbKeyedStateBackend::read_on(const Snapshot& running) {
  running->is_reading = true;
  io_.submit([this, running, scan = running->scan, post = post_]() mutable {
    Result<std::vector<SnapshotBlock>> blocks = scan->next();
    const bool is_last = scan->done();
    post([this, running, scan = std::move(scan), blocks = std::move(blocks), is_last]() mutable {
      running->is_reading = false;
      if (running->is_over) return;
      if (!blocks) return give_up(running, std::move(blocks).error());
      write(running, *std::move(blocks), is_last);
    });
  });
}

void RocksDbKeyedStateBackend::write(const Snapshot& running, std::vector<SnapshotBlock> blocks,
                                     bool is_last) {
  for (SnapshotBlock& block : blocks) {
    StateBytes payload = std::exchange(block.bytes, {});
    running->writer->append(std::move(payload),
                            [builder = running->builder, group = block.key_group,
                             rows = block.rows](StateBytes& bytes, StateBytes& scratch) {
                              builder->begin_block(bytes, scratch, group, rows);
                              seal_state_block(bytes);
                            });
  }
  if (is_last) return finish(running);
  if (!running->writer->is_behind()) read_on(running);
}

void RocksDbKeyedStateBackend::finish(const Snapshot& running) {
  running->scan.reset();
  running->writer->append(StateBytes(),
                          [builder = running->builder](StateBytes& bytes, StateBytes&) {
                            const std::string end = builder->end();
                            std::copy(end.begin(), end.end(), bytes.extend(end.size()));
                          });
  running->writer->finish([this, running](Result<StateHandle> data) {
    if (!data) return give_up(running, std::move(data).error());
    running->is_over = true;
    running_.remove(running);
    running->done(KeyedStateHandle{.key_groups = table_.key_groups(),
                                   .entries = running->builder->rows(),
                                   .states = table_.descriptions(),
                                   .pieces = {*std::move(data)}});
  });
}

void RocksDbKeyedStateBackend::give_up(const Snapshot& running, const Error& error) {
  running->is_over = true;
  running->scan.reset();
  running_.remove(running);
  running->writer->abandon(
      [ended = running, error](const Result<StateHandle>&) { ended->done(error); });
}

void RocksDbKeyedStateBackend::abort(CheckpointId id) {
  for (auto it = running_.begin(); it != running_.end();) {
    const Snapshot each = *it++;
    if (each->id != id) continue;
    give_up(each, {.code = ErrorCode::cancelled, .message = "the snapshot was aborted"});
  }
}

bool RocksDbKeyedStateBackend::advance_snapshots() {
  for (auto it = running_.begin(); it != running_.end();) {
    const Snapshot each = *it++;
    const bool may_go_on = each->scan != nullptr && !each->is_reading && !each->writer->is_behind();
    if (may_go_on) read_on(each);
  }
  return false;
}

}  // namespace streamrun
