#include <streamrun/state/rocksdb/rocksdb_settings.h>

#include "rocksdb_options.h"

namespace streamrun {

RocksDbMemory shares_of(std::uint64_t memory, double write_buffer_ratio) {
  RocksDbMemory shares;
  shares.rows = memory / 4;
  const auto rest = static_cast<double>(memory - shares.rows);
  shares.block_cache = static_cast<std::uint64_t>(rest * (3 - write_buffer_ratio) / 3);
  shares.write_buffers = static_cast<std::uint64_t>(rest * 2 * write_buffer_ratio / 3);
  return shares;
}

bool is_rocksdb_compression(const std::string& name) {
  return compression_called(name).has_value();
}

}  // namespace streamrun
