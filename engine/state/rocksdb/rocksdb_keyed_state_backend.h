#pragma once

#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/state/state_file.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "database.h"
#include "rocksdb_store.h"
#include "snapshot_scan.h"

namespace streamrun {

/// Keyed state of one operator in one subtask in a database, of which the table holds what was used
/// last. A snapshot is what the database holds once the table has written back what has changed; it
/// is read on I/O threads, and is always full.
class RocksDbKeyedStateBackend final : public KeyedStateBackend {
 public:
  /// `table` outlives the backend; `closed` is called when the database is closed, at the end.
  RocksDbKeyedStateBackend(KeyedTableBase& table, const KeyedStateBackendContext& context,
                           std::shared_ptr<Database> database, std::size_t write_batch_bytes,
                           std::function<std::size_t()> most_cached_bytes,
                           std::function<void()> closed);
  ~RocksDbKeyedStateBackend() override;

  Result<void> restore(const std::vector<KeyedStateHandle>& handles,
                       FileSystem* file_system) override;
  void snapshot(CheckpointId id, SharingFilesStrategy sharing, MakeWriter make_writer,
                bool compressed, Done done) override;
  void notify_complete(CheckpointId) override {}
  void abort(CheckpointId id) override;
  bool advance_snapshots() override;

 private:
  struct Running {
    CheckpointId id = 0;
    std::shared_ptr<SnapshotScan> scan;  ///< of the I/O job while there is one; null at the end
    std::shared_ptr<SnapshotFileWriter> writer;
    std::shared_ptr<StateFileBuilder> builder;
    Done done;
    bool is_reading = false;  ///< an I/O job is under way
    bool is_over = false;     ///< delivered or given up
  };
  using Snapshot = std::shared_ptr<Running>;

  Result<void> restore_one(const KeyedStateHandle& handle, FileSystem* file_system);
  Result<void> restore_piece(const StateFileReader& piece, const std::vector<int>& numbers,
                             bool is_oldest);
  void read_on(const Snapshot& running);
  void write(const Snapshot& running, std::vector<SnapshotBlock> blocks, bool is_last);
  void finish(const Snapshot& running);
  void give_up(const Snapshot& running, const Error& error);

  KeyedTableBase& table_;
  IoExecutor& io_;
  const std::function<void(UniqueFunction<void()>)> post_;
  const std::function<void()> closed_;
  std::shared_ptr<Database> database_;
  RocksDbStore store_;
  std::list<Snapshot> running_;
};

}  // namespace streamrun
