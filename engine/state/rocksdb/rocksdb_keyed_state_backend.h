#pragma once

#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/state/state_file.h>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "database.h"
#include "rocksdb_store.h"
#include "snapshot_scan.h"
#include "sst_import.h"
#include "sst_upload.h"
#include "write_gate.h"

namespace streamrun {

/// Keyed state of one operator in one subtask in a database, of which the table holds what was used
/// last. A snapshot is what the database holds once the table has written back what has changed.
/// One with files of its own is read row by row on I/O threads, and every backend restores it. One
/// that shares files consists of the database's own SST files; those that the newest complete one
/// refers to are not copied again.
class RocksDbKeyedStateBackend final : public KeyedStateBackend {
 public:
  /// `table` and `local`, the disk of the database, outlive the backend; `closed` is called when
  /// the database is closed, at the end. Files that are restored or uploaded pass through folders
  /// beside the database, whose names begin as its own.
  RocksDbKeyedStateBackend(KeyedTableBase& table, const KeyedStateBackendContext& context,
                           FileSystem& local, std::shared_ptr<Database> database,
                           std::size_t write_batch_bytes,
                           std::function<std::size_t()> most_cached_bytes,
                           std::function<void()> closed);
  ~RocksDbKeyedStateBackend() override;

  Result<void> restore(const std::vector<KeyedStateHandle>& handles,
                       FileSystem* file_system) override;
  void snapshot(CheckpointId id, SharingFilesStrategy sharing, MakeWriter make_writer,
                bool compressed, Done done) override;
  void notify_complete(CheckpointId id) override;
  void abort(CheckpointId id) override;
  bool advance_snapshots() override;

 private:
  struct Running {
    CheckpointId id = 0;
    MakeWriter make_writer;
    std::uint64_t copy = 0;              ///< its number at the gate, of one that shares files
    std::shared_ptr<SstUpload> upload;   ///< of one that shares files, once it is known which
    std::shared_ptr<SnapshotScan> scan;  ///< of the I/O job while there is one; null at the end
    std::shared_ptr<SnapshotFileWriter> writer;
    std::shared_ptr<StateFileBuilder> builder;
    Done done;
    bool is_reading = false;  ///< an I/O job reads rows
    bool is_over = false;     ///< delivered or given up
  };
  using Snapshot = std::shared_ptr<Running>;

  Result<void> restore_one(const KeyedStateHandle& handle, bool is_only, FileSystem* file_system);
  Result<void> restore_ssts(const KeyedStateHandle& handle, const std::vector<int>& numbers,
                            bool is_only, FileSystem* file_system);
  Result<void> copy_sst_rows(SstImport& import, const KeyedStateHandle& handle, int saved,
                             int state);
  Result<void> restore_piece(const StateFileReader& piece, const std::vector<int>& numbers,
                             bool is_oldest);
  void copy_files(const Snapshot& running, bool is_full);
  void upload(const Snapshot& running, bool is_full, std::shared_ptr<const LiveFiles> live);
  void uploaded(const Snapshot& running, Result<UploadedFiles> files);
  /// Elsewhere, as files may be removed then.
  static void let_go(IoExecutor& io, Result<std::shared_ptr<const LiveFiles>> live);
  void read_rows(const Snapshot& running, bool compressed);
  void read_on(const Snapshot& running);
  void write(const Snapshot& running, std::vector<SnapshotBlock> blocks, bool is_last);
  void finish(const Snapshot& running);
  void give_up(const Snapshot& running, const Error& error);
  void end(const Snapshot& running, Result<KeyedStateHandle> result);

  KeyedTableBase& table_;
  IoExecutor& io_;
  const std::function<void(UniqueFunction<void()>)> post_;
  const std::function<void()> closed_;
  FileSystem& local_;
  const std::shared_ptr<Database> database_;
  const std::string import_folder_;
  const std::string links_folder_;  ///< without its number
  std::uint64_t links_folders_ = 0;
  const std::shared_ptr<WriteGate> gate_;
  RocksDbStore store_;
  std::list<Snapshot> running_;
  /// Of snapshots that share files and may become complete, and of the newest that is.
  std::map<CheckpointId, UploadedFiles> uploaded_;
  UploadedFiles base_;
};

}  // namespace streamrun
