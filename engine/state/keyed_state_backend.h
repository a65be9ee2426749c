#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/platform/executor.h>
#include <streamrun/state/chain_limits.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/snapshot_file_writer.h>
#include <streamrun/state/state_handle.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Flink's name: which files of others a snapshot may refer to.
enum class SharingFilesStrategy {
  no_sharing,        ///< of its own: a savepoint
  forward,           ///< none, but later ones may refer to what it writes: a full checkpoint
  forward_backward,  ///< may refer to what completed incremental snapshots wrote
};

/// Keyed state of one operator in one subtask: where it lives beside its table, its way to
/// snapshots and back. What one writes every other one reads. Owned by the task's thread; `restore`
/// runs before that, on an I/O thread.
class KeyedStateBackend {
 public:
  using Done = std::function<void(Result<KeyedStateHandle>)>;
  /// A writer of one more piece.
  using MakeWriter = std::function<std::shared_ptr<SnapshotFileWriter>()>;

  virtual ~KeyedStateBackend() = default;
  /// Reads the key groups of this subtask from the handles. `file_system` is for files. Blocking.
  virtual Result<void> restore(const std::vector<KeyedStateHandle>& handles,
                               FileSystem* file_system) = 0;
  /// Begins snapshot `id`; incremental ones in the order of their ids. `done` is called once, on
  /// the owner's thread: when every byte is durable, or it failed, or was aborted. `make_writer`
  /// may be called until then.
  virtual void snapshot(CheckpointId id, SharingFilesStrategy sharing, MakeWriter make_writer,
                        bool compressed, Done done) = 0;
  /// Snapshot `id` is complete as a whole, everywhere: later incremental ones may refer to its
  /// pieces.
  virtual void notify_complete(CheckpointId id) = 0;
  /// Nobody wants snapshot `id` any more: what it holds is given back, its files are removed, and
  /// `done` gets E-CANCELLED. Nothing but that it is no base if it is not under way.
  virtual void abort(CheckpointId id) = 0;
  /// A slice of every snapshot under way; true while one has more.
  virtual bool advance_snapshots() = 0;
};

/// What a backend gets to know of the subtask that it is for.
struct KeyedStateBackendContext {
  IoExecutor& io;                                    ///< outlives the backend
  std::function<void(UniqueFunction<void()>)> post;  ///< to the task's thread
  std::string name;  ///< of the subtask in this attempt; a name for a file
};

/// Flink's state backend: makes the one that keeps the state of a subtask. Outlives what it made.
/// Any thread.
class StateBackend {
 public:
  virtual ~StateBackend() = default;
  /// `table` has its states and no rows, and outlives the result. Blocking.
  virtual Result<std::unique_ptr<KeyedStateBackend>> make_keyed(
      KeyedTableBase& table, const KeyedStateBackendContext& context) = 0;
};

}  // namespace streamrun
