#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/snapshot_file_writer.h>
#include <streamrun/state/state_file.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Keyed state of one operator in one subtask, in memory: the table, and its way to snapshots and
/// back. Snapshots are taken without stopping: `snapshot` is constant time, `advance_snapshots`
/// serialises slices.
class HashMapStateBackend {
 public:
  using Done = std::function<void(Result<KeyedStateHandle>)>;

  /// `table` outlives the backend.
  explicit HashMapStateBackend(KeyedTableBase& table) : table_(table) {}

  /// Reads the key groups of this subtask from the handles. `directory_of` a file's path if it is
  /// relative. Blocking.
  Result<void> restore(const std::vector<KeyedStateHandle>& handles, FileSystem* file_system);
  /// Begins snapshot `id`. `done` is called once, on the owner's thread: when every byte is
  /// durable, or it failed, or was aborted.
  void snapshot(CheckpointId id, std::shared_ptr<SnapshotFileWriter> writer, bool compressed,
                Done done);
  /// Nobody wants snapshot `id` any more: what it holds is given back, its file is removed, and
  /// `done` gets E-CANCELLED. Nothing if it is not under way.
  void abort(CheckpointId id);
  /// A slice of every snapshot under way; true while one has more.
  bool advance_snapshots();

 private:
  struct Running {
    CheckpointId id = 0;
    TableSnapshot* snapshot = nullptr;  ///< null once all of it is with the writer
    std::shared_ptr<SnapshotFileWriter> writer;
    std::shared_ptr<StateFileBuilder> builder;
    Done done;
  };
  Result<void> restore_one(const KeyedStateHandle& handle, FileSystem* file_system);
  /// True when its cursor reached the end.
  bool advance(const Running& running);
  void complete(std::list<Running>::iterator running);

  KeyedTableBase& table_;
  std::list<Running> running_;
};

}  // namespace streamrun
