#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/clock.h>
#include <streamrun/state/keyed_table.h>

#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

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
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() { return *db_; }
  const std::vector<rocksdb::ColumnFamilyHandle*>& families() const { return families_; }
  rocksdb::ColumnFamilyHandle* family(int state) const {
    return families_[static_cast<std::size_t>(state)];
  }
  /// E-STORE-IO or E-STORE-FULL, with the path and what RocksDB says.
  Error error_of(const rocksdb::Status& status) const;
  void check(const rocksdb::Status& status) const {
    if (!status.ok()) throw_error(error_of(status));
  }

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  rocksdb::DB* db_ = nullptr;
  rocksdb::ColumnFamilyHandle* unused_ = nullptr;            ///< the default one
  std::vector<rocksdb::ColumnFamilyHandle*> families_ = {};  ///< by state
};

}  // namespace streamrun
