#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/sst_file_writer.h>

#include "database.h"

namespace streamrun {

/// Puts many rows into a state of a database that has none of their keys: as files that it takes in
/// as they are, which costs neither a write buffer nor compactions. One thread; blocking.
/// E-STORE-IO or E-STORE-FULL, of the database.
class SstIngest {
 public:
  /// Files are made in `folder`, on the database's disk, which is there; they move to the database.
  SstIngest(Database& database, int state, std::string folder);

  /// Keys come in their order.
  Result<void> put(std::string_view key, std::string_view value);
  /// After the last one: now the database has them.
  Result<void> finish();

 private:
  Result<void> begin_file();
  Result<void> end_file();

  Database& database_;
  const int state_;
  const std::string folder_;
  const rocksdb::Options options_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;  ///< null between files
  std::vector<std::string> paths_;
};

}  // namespace streamrun
