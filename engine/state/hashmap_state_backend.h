#pragma once

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
  /// `done` is called on the owner's thread when every byte is durable.
  void snapshot(std::shared_ptr<SnapshotFileWriter> writer, Done done);
  /// A slice of every snapshot under way; true while one has more.
  bool advance_snapshots();

 private:
  struct Running {
    TableSnapshot* snapshot = nullptr;
    std::shared_ptr<SnapshotFileWriter> writer;
    std::shared_ptr<StateFileBuilder> builder;
    Done done;
  };
  Result<void> restore_one(const KeyedStateHandle& handle, FileSystem* file_system);
  /// True when its cursor reached the end.
  bool advance(const Running& running);
  void complete(Running running);

  KeyedTableBase& table_;
  std::list<Running> running_;
};

}  // namespace streamrun
