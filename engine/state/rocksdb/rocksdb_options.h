#pragma once

#include <streamrun/state/rocksdb/rocksdb_settings.h>

#include <memory>
#include <optional>
#include <string>

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/write_buffer_manager.h>

namespace streamrun {

/// What databases of a process share; null without a common budget.
struct SharedMemory {
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};
SharedMemory make_shared_memory(const RocksDbSettings& settings);

rocksdb::DBOptions database_options(const RocksDbSettings& given, const SharedMemory& shared);
rocksdb::ColumnFamilyOptions column_family_options(const RocksDbSettings& given,
                                                   const SharedMemory& shared);
std::optional<rocksdb::CompressionType> compression_called(const std::string& name);

}  // namespace streamrun
