#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/clock.h>
#include <streamrun/state/keyed_table.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>

#include "rocksdb_options.h"

namespace streamrun {

/// An open database with a column family for each state of a table. It begins empty, and nothing
/// of it is to survive the process. Shared between the task's thread, which writes, and I/O threads
/// that read from snapshots.
class Database {
 public:
  /// `path` is a folder that is not there; `clock` outlives it. Blocking.
  static Result<std::shared_ptr<Database>> open(const std::string& path,
                                                const KeyedTableBase& table,
                                                const RocksDbSettings& settings,
                                                const SharedMemory& shared, const Clock& clock);
  /// A column family for each description.
  static Result<std::shared_ptr<Database>> open(
      const std::string& path, const rocksdb::DBOptions& options,
      std::vector<rocksdb::ColumnFamilyDescriptor> families);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() { return *db_; }
  const std::string& path() const { return path_; }
  const std::vector<rocksdb::ColumnFamilyHandle*>& families() const { return families_; }
  rocksdb::ColumnFamilyHandle* family(int state) const {
    return families_[static_cast<std::size_t>(state)];
  }
  /// All of a state, which has nothing yet, becomes what lies in these files, which move to the
  /// database. What `family` said before holds no more. Blocking.
  Result<void> take_in(int state, const rocksdb::ExportImportFilesMetaData& files);

  /// What lies in such files, beside the states, which is gone with the result. Blocking.
  struct Guest {
    rocksdb::DB& db;
    rocksdb::ColumnFamilyHandle* family;
    Guest(rocksdb::DB& of, rocksdb::ColumnFamilyHandle* held) : db(of), family(held) {}
    ~Guest();
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
  };
  Result<std::unique_ptr<Guest>> open_beside(const rocksdb::ExportImportFilesMetaData& files);
  /// A write has failed after which RocksDB writes no more, whatever becomes of the disk: only
  /// another database helps. Any thread.
  void note_broken() { is_broken_.store(true, std::memory_order_relaxed); }
  bool is_broken() const { return is_broken_.load(std::memory_order_relaxed); }
  /// E-STORE-IO or E-STORE-FULL, with the path and what RocksDB says.
  Error error_of(const rocksdb::Status& status) const;
  void check(const rocksdb::Status& status) const {
    if (!status.ok()) throw_error(error_of(status));
  }

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  std::atomic<bool> is_broken_{false};
  rocksdb::DB* db_ = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> families_ = {};      ///< by state
  std::vector<rocksdb::ColumnFamilyDescriptor> described_ = {};  ///< the same
};

}  // namespace streamrun
