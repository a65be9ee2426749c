#include <streamrun/state/hashmap_state_backend.h>
#include <streamrun/state/match_states.h>
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
/// Slots that are looked at between two batches for the few rows that an increment takes.
constexpr std::size_t kSearchedSlots = std::size_t{128} * 1024;
/// Pieces that wait to be durable while a further one is written.
constexpr std::size_t kUnfinishedPieces = 3;

}  // namespace

Result<void> HashMapStateBackend::restore(const std::vector<KeyedStateHandle>& handles,
                                          FileSystem* file_system) {
  for (const KeyedStateHandle& handle : handles) SR_TRY(restore_one(handle, file_system));
  return {};
}

Result<void> HashMapStateBackend::restore_one(const KeyedStateHandle& handle,
                                              FileSystem* file_system) {
  const std::vector<int> numbers = SR_TRY(match_states(handle.states, table_));
  // The newest first: what is there already is newer than what a further piece says.
  std::vector<StateFileReader> readers;
  for (std::size_t left = handle.pieces.size(); left > 0; --left)
    readers.push_back(SR_TRY(open_state(handle.pieces[left - 1], file_system)));
  std::map<int, std::vector<PlacedBlock>> blocks_of_group;
  std::uint64_t rows = 0;
  for (const StateFileReader& reader : readers) {
    for (const StateBlock& block : reader.blocks()) {
      rows += block.rows;
      if (table_.key_groups().contains(block.key_group))
        blocks_of_group[block.key_group].push_back({&reader, &block});
    }
  }
  // Of a row there may be older values and tombstones, in about the same share of each group.
  const double share =
      rows > handle.entries ? static_cast<double>(handle.entries) / static_cast<double>(rows) : 1.0;
  // Group by group, so that what was just put there is still in the caches when it is met again.
  for (const auto& [group, blocks] : blocks_of_group) {
    double in_group = 0;
    for (const PlacedBlock& each : blocks) in_group += each.block->rows;
    table_.reserve(group, static_cast<std::size_t>(share * in_group));
    SR_TRY(restore_group(blocks, numbers));
  }
  table_.end_restore();
  return {};
}

Result<void> HashMapStateBackend::restore_group(const std::vector<PlacedBlock>& blocks,
                                                const std::vector<int>& numbers) {
  StateBytes buffer;
  const StateFileReader* piece = nullptr;
  table_.begin_restore();
  for (const auto& [reader, block] : blocks) {
    if (reader != piece) table_.begin_restored_piece();
    piece = reader;
    const std::string_view payload = SR_TRY(reader->payload(*block, buffer));
    if (!table_.restore_rows(block->key_group, block->rows, payload, numbers)) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "state file holds rows that can't be read",
                   .where = reader->name() + ", offset " + std::to_string(block->offset),
                   .retry = Retry::no};
    }
  }
  return {};
}

void HashMapStateBackend::snapshot(CheckpointId id, SharingFilesStrategy sharing,
                                   MakeWriter make_writer, bool compressed, Done done) {
  Running& running = running_.emplace_back();
  running.id = id;
  running.entries = table_.size();
  running.make_writer = std::move(make_writer);
  running.compressed = compressed;
  running.done = std::move(done);
  running.pieces.push_back(open_piece(running));
  // What stays in memory is copied from one holder to the next: it had better be whole.
  running.in_chain = chain_ && sharing != SharingFilesStrategy::no_sharing &&
                     !running.pieces.front().writer->is_in_memory();
  if (running.in_chain) running.plan = chain_->begin(id, sharing == SharingFilesStrategy::forward);
  const auto emit = [&running](SnapshotBlock block) {
    const Piece& piece = running.pieces.back();
    StateBytes rows = std::exchange(block.bytes, {});
    const std::size_t lent = block.lent_bytes();
    auto encode = [builder = piece.builder, block = std::move(block)](StateBytes& bytes,
                                                                      StateBytes& scratch) mutable {
      block.bytes = std::move(bytes);
      block.encode(scratch);
      bytes = std::move(block.bytes);
      if (block.rows == 0) return bytes.clear();
      builder->begin_block(bytes, scratch, block.key_group, block.rows);
      seal_state_block(bytes);
    };
    piece.writer->append(std::move(rows), std::move(encode), lent);
    return piece.writer->take_spare();
  };
  const bool is_increment = running.plan.kind == SnapshotChain::Kind::increment;
  running.snapshot = &table_.start_snapshot(emit, is_increment ? &running.plan.selection : nullptr);
  if (running.plan.kind == SnapshotChain::Kind::in_pieces)
    chain_->begin_piece(id, *running.snapshot);
}

HashMapStateBackend::Piece HashMapStateBackend::open_piece(const Running& running) {
  return {.writer = running.make_writer(),
          .builder = std::make_shared<StateFileBuilder>(running.compressed)};
}

void HashMapStateBackend::notify_complete(CheckpointId id) {
  if (chain_) chain_->complete(id);
  // Nobody will want those that it overtook, and what they build on may go.
  for (auto it = running_.begin(); it != running_.end();) {
    const auto each = it++;
    if (each->in_chain && each->id < id) {
      give_up(each, {.code = ErrorCode::cancelled, .message = "a newer snapshot is complete"});
    }
  }
}

void HashMapStateBackend::abort(CheckpointId id) {
  if (chain_) chain_->forget(id);
  for (auto it = running_.begin(); it != running_.end();) {
    const auto each = it++;
    if (each->id != id) continue;
    give_up(each, {.code = ErrorCode::cancelled, .message = "the snapshot was aborted"});
  }
}

void HashMapStateBackend::give_up(Place running, const Error& error) {
  if (running->snapshot != nullptr) table_.end_snapshot(*running->snapshot);
  if (running->in_chain) chain_->forget(running->id);
  const auto ended = std::make_shared<Running>(std::move(*running));
  running_.erase(running);
  ended->unfinished = ended->pieces.size();
  for (const Piece& piece : std::exchange(ended->pieces, {})) {
    piece.writer->abandon([ended, error](const Result<StateHandle>&) {
      if (--ended->unfinished == 0) std::exchange(ended->done, {})(error);
    });
  }
}

bool HashMapStateBackend::advance_snapshots() {
  bool more = false;
  bool any = false;
  for (auto it = running_.begin(); it != running_.end();) {
    const auto each = it++;
    if (each->snapshot == nullptr) continue;
    any = true;
    if (advance(each)) {
      complete(each);
    } else {
      more = more || !is_behind(*each);
    }
  }
  if (any || !chain_) return more;
  return chain_->advance();
}

bool HashMapStateBackend::is_behind(const Running& running) {
  return running.unfinished >= kUnfinishedPieces || running.pieces.back().writer->is_behind();
}

bool HashMapStateBackend::advance(Place running) {
  TableSnapshot& snapshot = *running->snapshot;
  const auto kind = running->plan.kind;
  if (kind == SnapshotChain::Kind::increment)
    return !is_behind(*running) && table_.advance(snapshot, kSearchedSlots);
  const bool is_cheap = snapshot.lends() && !running->pieces.back().writer->is_in_memory();
  for (int slices = is_cheap ? kLentSlices : 1; slices > 0; --slices) {
    if (is_behind(*running)) return false;
    if (kind == SnapshotChain::Kind::in_pieces &&
        chain_->rows_in_piece(running->id) >= running->plan.piece_rows) {
      table_.emit_passed(snapshot);
      end_piece(running);
      running->pieces.push_back(open_piece(*running));
      chain_->begin_piece(running->id, snapshot);
    }
    if (table_.advance(snapshot, kSlice)) return true;
  }
  return false;
}

void HashMapStateBackend::end_piece(Place running) {
  const std::size_t index = running->pieces.size() - 1;
  const Piece piece = running->pieces.back();
  piece.writer->append(StateBytes(), [builder = piece.builder](StateBytes& bytes, StateBytes&) {
    const std::string end = builder->end();
    std::copy(end.begin(), end.end(), bytes.extend(end.size()));
  });
  ++running->unfinished;
  piece.writer->finish([this, running, index](Result<StateHandle> data) {
    if (!data) return give_up(running, std::move(data).error());
    running->pieces[index].data = *std::move(data);
    --running->unfinished;
    if (running->snapshot == nullptr && running->unfinished == 0) deliver(running);
  });
}

void HashMapStateBackend::complete(Place running) {
  table_.end_snapshot(*std::exchange(running->snapshot, nullptr));
  end_piece(running);
}

void HashMapStateBackend::deliver(Place running) {
  const Running ended = std::move(*running);
  running_.erase(running);
  KeyedStateHandle handle{.key_groups = table_.key_groups(),
                          .entries = ended.entries,
                          .states = table_.descriptions(),
                          .pieces = {}};
  std::vector<SnapshotChain::WrittenPiece> written;
  for (const Piece& piece : ended.pieces) written.push_back({*piece.data, piece.builder->rows()});
  if (!ended.in_chain) {
    for (SnapshotChain::WrittenPiece& piece : written)
      handle.pieces.push_back(std::move(piece.data));
    return ended.done(std::move(handle));
  }
  auto pieces = chain_->written(ended.id, written);
  if (!pieces) {
    return ended.done(Error{.code = ErrorCode::cancelled,
                            .message = "what the snapshot builds on is no longer kept"});
  }
  handle.pieces = *std::move(pieces);
  ended.done(std::move(handle));
}

}  // namespace streamrun
