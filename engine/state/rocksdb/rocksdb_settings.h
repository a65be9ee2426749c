#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Flink's sets of settings for a kind of disk.
enum class RocksDbPredefined {
  standard,
  spinning_disk_optimized,
  spinning_disk_optimized_high_mem,
  flash_ssd_optimized,
};
enum class RocksDbCompaction { level, universal, fifo, none };

/// How databases are set up, under the names of `state.backend.rocksdb.*`; sizes in bytes. What is
/// not set is as the predefined settings say, else as Flink's default.
struct RocksDbSettings {
  /// Absolute; subtasks take them in turn.
  std::vector<std::string> directories;

  /// Shared by all databases of the process, and by what tables hold of them; none: each database
  /// has a block cache of its own, and write buffers as it likes.
  std::optional<std::uint64_t> memory = std::uint64_t{512} << 20U;
  double write_buffer_ratio = 0.5;
  double high_prio_pool_ratio = 0.1;
  bool partitioned_index_filters = false;

  RocksDbPredefined predefined = RocksDbPredefined::standard;
  std::optional<int> threads;
  std::optional<int> open_files;
  std::optional<RocksDbCompaction> compaction;
  std::optional<bool> dynamic_level_size;
  std::optional<std::uint64_t> target_file_size_base;
  std::optional<std::uint64_t> max_size_level_base;
  std::optional<std::uint64_t> write_buffer_size;
  std::optional<int> write_buffer_count;
  std::optional<int> write_buffers_to_merge;
  std::optional<std::uint64_t> block_size;
  std::optional<std::uint64_t> metadata_block_size;
  std::optional<std::uint64_t> block_cache_size;  ///< of a database without shared memory
  std::optional<bool> uses_bloom_filter;
  std::optional<double> bloom_bits_per_key;
  /// Flink's names, such as `SNAPPY_COMPRESSION`: of each level, the last one of all further ones.
  std::vector<std::string> compression_per_level = {"SNAPPY_COMPRESSION"};
  std::uint64_t write_batch_size = std::uint64_t{2} << 20U;  ///< 0: no limit
  std::uint64_t periodic_compaction_seconds = std::uint64_t{30} * 24 * 3600;
};

/// How the memory of a process is dealt out.
struct RocksDbMemory {
  std::uint64_t rows = 0;           ///< values in tables, all of them
  std::uint64_t block_cache = 0;    ///< with the write buffers in it
  std::uint64_t write_buffers = 0;  ///< from which on one is written to a file
};
/// A quarter is for rows; of the rest, as in Flink, write buffers may overrun their part by a half,
/// which is therefore left out of the cache.
RocksDbMemory shares_of(std::uint64_t memory, double write_buffer_ratio);

/// Whether it is one of Flink's names, and the library has it.
bool is_rocksdb_compression(const std::string& name);

}  // namespace streamrun
