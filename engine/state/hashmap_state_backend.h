#pragma once

#include <streamrun/base/ids.h>
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

/// Flink's name: which files of others a snapshot may refer to.
enum class SharingFilesStrategy {
  no_sharing,        ///< of its own: a savepoint
  forward,           ///< none, but later ones may refer to what it writes: a full checkpoint
  forward_backward,  ///< may refer to what completed incremental snapshots wrote
};

/// Keyed state of one operator in one subtask, in memory: the table, and its way to snapshots and
/// back. Snapshots are taken without stopping: `snapshot` is constant time, `advance_snapshots`
/// serialises slices. An incremental one writes what changed since the newest that is complete
/// (`SnapshotChain`); the first after a restore is full.
class HashMapStateBackend {
 public:
  using Done = std::function<void(Result<KeyedStateHandle>)>;
  /// A writer of one more piece.
  using MakeWriter = std::function<std::shared_ptr<SnapshotFileWriter>()>;

  /// `table` outlives the backend. Without limits snapshots are never incremental, which saves what
  /// it costs to know what changed.
  explicit HashMapStateBackend(KeyedTableBase& table) : table_(table) {}
  HashMapStateBackend(KeyedTableBase& table, ChainLimits limits) : table_(table) {
    chain_.emplace(table, limits);
  }

  /// Reads the key groups of this subtask from the handles. `directory_of` a file's path if it is
  /// relative. Blocking.
  Result<void> restore(const std::vector<KeyedStateHandle>& handles, FileSystem* file_system);
  /// Begins snapshot `id`; incremental ones in the order of their ids. `done` is called once, on
  /// the owner's thread: when every byte is durable, or it failed, or was aborted. `make_writer`
  /// may be called until then.
  void snapshot(CheckpointId id, SharingFilesStrategy sharing, MakeWriter make_writer,
                bool compressed, Done done);
  /// Snapshot `id` is complete as a whole, everywhere: later incremental ones may refer to its
  /// pieces.
  void notify_complete(CheckpointId id);
  /// Nobody wants snapshot `id` any more: what it holds is given back, its files are removed, and
  /// `done` gets E-CANCELLED. Nothing but that it is no base if it is not under way.
  void abort(CheckpointId id);
  /// A slice of every snapshot under way; true while one has more.
  bool advance_snapshots();

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
