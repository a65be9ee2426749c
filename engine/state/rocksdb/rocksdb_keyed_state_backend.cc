#include "rocksdb_keyed_state_backend.h"

#include <streamrun/state/match_states.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <string_view>
#include <utility>

#include "sst_ingest.h"

namespace streamrun {

RocksDbKeyedStateBackend::RocksDbKeyedStateBackend(
    KeyedTableBase& table, const KeyedStateBackendContext& context, FileSystem& local,
    std::shared_ptr<Database> database, std::size_t write_batch_bytes,
    std::function<std::size_t()> most_cached_bytes, std::function<void()> closed)
    : table_(table),
      io_(context.io),
      post_(context.post),
      closed_(std::move(closed)),
      local_(local),
      database_(std::move(database)),
      import_folder_(database_->path() + "-import"),
      links_folder_(database_->path() + "-snapshot-"),
      gate_(std::make_shared<WriteGate>()),
      store_(database_, gate_, write_batch_bytes, std::move(most_cached_bytes)) {
  table_.keep_rows_in(store_);
}

RocksDbKeyedStateBackend::~RocksDbKeyedStateBackend() {
  // Writers that are not done know those whom they would tell.
  for (const Snapshot& running : running_) {
    gate_->drop(running->copy);
    if (running->upload != nullptr) running->upload->forget();
    *running = Running();
    running->is_over = true;
  }
  closed_();
}

Result<void> RocksDbKeyedStateBackend::restore(const std::vector<KeyedStateHandle>& handles,
                                               FileSystem* file_system) {
  for (const KeyedStateHandle& handle : handles)
    SR_TRY(restore_one(handle, handles.size() == 1, file_system));
  return {};
}

Result<void> RocksDbKeyedStateBackend::restore_one(const KeyedStateHandle& handle, bool is_only,
                                                   FileSystem* file_system) {
  const std::vector<int> numbers = SR_TRY(match_states(handle.states, table_));
  if (!handle.pieces.empty() && handle.pieces.front().sst) {
    SR_TRY(restore_ssts(handle, numbers, is_only, file_system));
  } else {
    // The oldest first: later ones override it.
    for (const StateHandle& piece : handle.pieces) {
      const StateFileReader reader = SR_TRY(open_state(piece, file_system));
      SR_TRY(restore_piece(reader, numbers, &piece == &handle.pieces.front()));
    }
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

Result<void> RocksDbKeyedStateBackend::restore_ssts(const KeyedStateHandle& handle,
                                                    const std::vector<int>& numbers, bool is_only,
                                                    FileSystem* file_system) {
  const bool is_whole = is_only && handle.key_groups == table_.key_groups();
  SstImport import(*database_, local_, file_system, import_folder_);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const int saved = static_cast<int>(i);
    if (is_whole && !table_.is_migrated(numbers[i])) {
      SR_TRY(import.take_whole(handle, saved, numbers[i]));
    } else {
      SR_TRY(copy_sst_rows(import, handle, saved, numbers[i]));
    }
  }
  return {};
}

Result<void> RocksDbKeyedStateBackend::copy_sst_rows(SstImport& import,
                                                     const KeyedStateHandle& handle, int saved,
                                                     int state) {
  SstIngest ingest(*database_, state, import_folder_);
  std::string text;
  const auto copy = [&](std::string_view key, std::string_view value) -> Result<void> {
    const auto migrated = table_.migrated_value(state, value, text);
    if (!migrated) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "state file holds values that can't be read",
                   .where = handle.states[static_cast<std::size_t>(saved)].name,
                   .retry = Retry::no};
    }
    return ingest.put(key, *migrated);
  };
  SR_TRY(import.read(handle, saved, table_.key_groups(), copy));
  return ingest.finish();
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

void RocksDbKeyedStateBackend::snapshot(CheckpointId id, SharingFilesStrategy sharing,
                                        MakeWriter make_writer, bool compressed, Done done) {
  // The attempt fails, and the next one begins with another database.
  if (database_->is_broken()) {
    throw_error({.code = ErrorCode::store_io,
                 .message = "the local database of keyed state could not write to its disk",
                 .where = database_->path(),
                 .why =
                     "RocksDB writes no more after that; the job goes on from its last checkpoint "
                     "with a new one",
                 .tries = {"df -h " + parent_path(database_->path()), "ulimit -n"}});
  }
  table_.write_back();
  auto running = std::make_shared<Running>();
  running->id = id;
  running->make_writer = std::move(make_writer);
  running->done = std::move(done);
  running_.push_back(running);
  if (sharing == SharingFilesStrategy::no_sharing) return read_rows(running, compressed);
  copy_files(running, sharing == SharingFilesStrategy::forward);
}

void RocksDbKeyedStateBackend::copy_files(const Snapshot& running, bool is_full) {
  const auto copy = [this, running, is_full, &io = io_, &local = local_, database = database_,
                     post = post_, folder = links_folder_ + std::to_string(++links_folders_)] {
    post([this, running, is_full, &io, live = LiveFiles::take(database, local, folder)]() mutable {
      if (running->is_over) return let_go(io, std::move(live));
      if (!live) return give_up(running, std::move(live).error());
      upload(running, is_full, *std::move(live));
    });
  };
  running->copy = gate_->close(copy);
  io_.submit([gate = gate_, number = running->copy] { gate->run(number); });
}

void RocksDbKeyedStateBackend::upload(const Snapshot& running, bool is_full,
                                      std::shared_ptr<const LiveFiles> live) {
  if (live->files().empty()) {
    // There was nothing, whatever there is by now; and a snapshot has a piece.
    uploaded_[running->id] = {};
    running->writer = running->make_writer();
    running->builder = std::make_shared<StateFileBuilder>();
    return finish(running);
  }
  running->upload = std::make_shared<SstUpload>(
      std::move(live), local_, is_full ? UploadedFiles() : base_, running->make_writer,
      [this, running](Result<UploadedFiles> files) { uploaded(running, std::move(files)); });
  running->upload->advance();
}

void RocksDbKeyedStateBackend::uploaded(const Snapshot& running, Result<UploadedFiles> files) {
  std::shared_ptr<const LiveFiles> live = running->upload->take_live();
  Result<KeyedStateHandle> result = KeyedStateHandle{.key_groups = table_.key_groups(),
                                                     .entries = live->most_entries(),
                                                     .states = table_.descriptions(),
                                                     .pieces = {}};
  if (files) {
    for (const LiveFiles::File& file : live->files()) {
      StateHandle piece = files->at(file.number);
      piece.sst = file.sst;
      result->pieces.push_back(std::move(piece));
    }
    uploaded_[running->id] = *std::move(files);
  } else {
    result = std::move(files).error();
  }
  let_go(io_, std::move(live));
  end(running, std::move(result));
}

void RocksDbKeyedStateBackend::let_go(IoExecutor& io,
                                      Result<std::shared_ptr<const LiveFiles>> live) {
  io.submit([live = std::move(live)]() mutable { live = std::shared_ptr<const LiveFiles>(); });
}

void RocksDbKeyedStateBackend::read_rows(const Snapshot& running, bool compressed) {
  running->scan = std::make_shared<SnapshotScan>(database_, table_);
  running->writer = running->make_writer();
  running->builder = std::make_shared<StateFileBuilder>(compressed);
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
    end(running, KeyedStateHandle{.key_groups = table_.key_groups(),
                                  .entries = running->builder->rows(),
                                  .states = table_.descriptions(),
                                  .pieces = {*std::move(data)}});
  });
}

void RocksDbKeyedStateBackend::end(const Snapshot& running, Result<KeyedStateHandle> result) {
  running->is_over = true;
  running_.remove(running);
  running->done(std::move(result));
}

void RocksDbKeyedStateBackend::give_up(const Snapshot& running, const Error& error) {
  uploaded_.erase(running->id);
  gate_->drop(running->copy);
  if (running->upload != nullptr) return running->upload->give_up(error);
  if (running->writer == nullptr) return end(running, error);
  running->is_over = true;
  running->scan.reset();
  running_.remove(running);
  running->writer->abandon(
      [ended = running, error](const Result<StateHandle>&) { ended->done(error); });
}

void RocksDbKeyedStateBackend::abort(CheckpointId id) {
  uploaded_.erase(id);
  for (auto it = running_.begin(); it != running_.end();) {
    const Snapshot each = *it++;
    if (each->id != id) continue;
    give_up(each, {.code = ErrorCode::cancelled, .message = "the snapshot was aborted"});
  }
}

void RocksDbKeyedStateBackend::notify_complete(CheckpointId id) {
  const auto found = uploaded_.find(id);
  if (found == uploaded_.end()) return;
  base_ = std::move(found->second);
  uploaded_.erase(uploaded_.begin(), std::next(found));
}

bool RocksDbKeyedStateBackend::advance_snapshots() {
  for (auto it = running_.begin(); it != running_.end();) {
    const Snapshot each = *it++;
    if (each->upload != nullptr) each->upload->advance();
    const bool may_go_on = each->scan != nullptr && !each->is_reading && !each->writer->is_behind();
    if (may_go_on) read_on(each);
  }
  return false;
}

}  // namespace streamrun
