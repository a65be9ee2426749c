#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/snapshot_chain.h>
#include <streamrun/state/snapshot_file_writer.h>
#include <streamrun/state/state_file.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Keyed state of one operator in one subtask, in memory: the table, and its way to snapshots and
/// back. Snapshots are taken without stopping: `snapshot` is constant time, `advance_snapshots`
/// serialises slices. An incremental one writes what changed since the newest that is complete
/// (`SnapshotChain`); the first after a restore is full.
class HashMapStateBackend final : public KeyedStateBackend {
 public:
  /// `table` outlives the backend. Without limits snapshots are never incremental, which saves what
  /// it costs to know what changed.
  explicit HashMapStateBackend(KeyedTableBase& table) : table_(table) {}
  HashMapStateBackend(KeyedTableBase& table, ChainLimits limits) : table_(table) {
    chain_.emplace(table, limits);
  }

  Result<void> restore(const std::vector<KeyedStateHandle>& handles,
                       FileSystem* file_system) override;
  void snapshot(CheckpointId id, SharingFilesStrategy sharing, MakeWriter make_writer,
                bool compressed, Done done) override;
  void notify_complete(CheckpointId id) override;
  void abort(CheckpointId id) override;
  bool advance_snapshots() override;

 private:
  struct PlacedBlock {
    const StateFileReader* reader;
    const StateBlock* block;
  };
  struct Piece {
    std::shared_ptr<SnapshotFileWriter> writer;
    std::shared_ptr<StateFileBuilder> builder;
    std::optional<StateHandle> data = {};  ///< once it is durable
  };
  struct Running {
    CheckpointId id = 0;
    bool in_chain = false;
    SnapshotChain::Plan plan;
    std::uint64_t entries = 0;
    MakeWriter make_writer;
    bool compressed = false;
    Done done;
    std::vector<Piece> pieces;          ///< those before the last are with their writers
    std::size_t unfinished = 0;         ///< of them
    TableSnapshot* snapshot = nullptr;  ///< null once all of it is with the writers
  };
  using Place = std::list<Running>::iterator;

  Result<void> restore_one(const KeyedStateHandle& handle, FileSystem* file_system);
  /// The blocks of one key group, those of newer pieces first.
  Result<void> restore_group(const std::vector<PlacedBlock>& blocks,
                             const std::vector<int>& numbers);
  static Piece open_piece(const Running& running);
  static bool is_behind(const Running& running);
  /// True when its cursor reached the end.
  bool advance(Place running);
  void end_piece(Place running);
  void complete(Place running);
  void deliver(Place running);
  void give_up(Place running, const Error& error);

  KeyedTableBase& table_;
  std::optional<SnapshotChain> chain_;
  std::list<Running> running_;
};

}  // namespace streamrun
