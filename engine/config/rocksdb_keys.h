#pragma once

#include <streamrun/config/config_option.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace streamrun {

enum class RocksDbPredefinedOptions {
  standard,
  spinning_disk_optimized,
  spinning_disk_optimized_high_mem,
  flash_ssd_optimized,
};
template <>
struct Choices<RocksDbPredefinedOptions> {
  using enum RocksDbPredefinedOptions;
  static constexpr auto list = std::to_array<Choice<RocksDbPredefinedOptions>>(
      {{"DEFAULT", standard},
       {"SPINNING_DISK_OPTIMIZED", spinning_disk_optimized},
       {"SPINNING_DISK_OPTIMIZED_HIGH_MEM", spinning_disk_optimized_high_mem},
       {"FLASH_SSD_OPTIMIZED", flash_ssd_optimized}});
};

enum class RocksDbCompactionStyle { level, universal, fifo, none };
template <>
struct Choices<RocksDbCompactionStyle> {
  using enum RocksDbCompactionStyle;
  static constexpr auto list = std::to_array<Choice<RocksDbCompactionStyle>>(
      {{"LEVEL", level}, {"UNIVERSAL", universal}, {"FIFO", fifo}, {"NONE", none}});
};

/// Of the rocksdb state backend.
namespace options::rocksdb {

using Duration = std::chrono::nanoseconds;

inline constexpr ConfigOption<std::string> kLocalDirectories{
    .key = "state.backend.rocksdb.localdir",
    .description =
        "Folders of the local databases, separated by commas or colons; io.tmp.dirs if unset."};
inline constexpr ConfigOption<RocksDbPredefinedOptions> kPredefined{
    .key = "state.backend.rocksdb.predefined-options",
    .description = "A set of settings for a kind of disk.",
    .default_text = "DEFAULT"};
inline constexpr ConfigOption<bool> kManagedMemory{
    .key = "state.backend.rocksdb.memory.managed",
    .description = "Databases share one memory budget, taskmanager.memory.managed.size.",
    .default_text = "true"};
inline constexpr ConfigOption<MemorySize> kMemoryPerSlot{
    .key = "state.backend.rocksdb.memory.fixed-per-slot",
    .description = "Their memory budget for each subtask that runs at a time, instead."};
inline constexpr ConfigOption<MemorySize> kMemoryPerProcess{
    .key = "state.backend.rocksdb.memory.fixed-per-tm",
    .description = "Their memory budget, instead."};
inline constexpr ConfigOption<double> kWriteBufferRatio{
    .key = "state.backend.rocksdb.memory.write-buffer-ratio",
    .description = "Part of the budget for write buffers, from 0 to 1.",
    .default_text = "0.5"};
inline constexpr ConfigOption<double> kHighPriorityRatio{
    .key = "state.backend.rocksdb.memory.high-prio-pool-ratio",
    .description = "Part of the block cache for indexes and filters, from 0 to 1.",
    .default_text = "0.1"};
inline constexpr ConfigOption<bool> kPartitionedIndexFilters{
    .key = "state.backend.rocksdb.memory.partitioned-index-filters",
    .description = "Partitions indexes and filters, so that parts of them can leave memory.",
    .default_text = "false"};
inline constexpr ConfigOption<std::int32_t> kThreads{
    .key = "state.backend.rocksdb.thread.num",
    .description = "Background threads that write and merge files. At least 1.",
    .default_text = "2"};
inline constexpr ConfigOption<std::int32_t> kOpenFiles{
    .key = "state.backend.rocksdb.files.open",
    .description = "Most open files of a database; -1 is no limit.",
    .default_text = "-1"};
inline constexpr ConfigOption<RocksDbCompactionStyle> kCompactionStyle{
    .key = "state.backend.rocksdb.compaction.style",
    .description = "How files are merged.",
    .default_text = "LEVEL"};
inline constexpr ConfigOption<bool> kDynamicLevelSize{
    .key = "state.backend.rocksdb.compaction.level.use-dynamic-size",
    .description = "Lets sizes of levels follow the data.",
    .default_text = "false"};
inline constexpr ConfigOption<MemorySize> kTargetFileSize{
    .key = "state.backend.rocksdb.compaction.level.target-file-size-base",
    .description = "Size of files of level 1.",
    .default_text = "64 mb"};
inline constexpr ConfigOption<MemorySize> kLevelBaseSize{
    .key = "state.backend.rocksdb.compaction.level.max-size-level-base",
    .description = "Size of level 1.",
    .default_text = "256 mb"};
inline constexpr ConfigOption<std::vector<std::string>> kCompressionPerLevel{
    .key = "state.backend.rocksdb.compression.per.level",
    .description = "Compression of each level; the last one is that of all further levels.",
    .default_text = "SNAPPY_COMPRESSION"};
inline constexpr ConfigOption<MemorySize> kWriteBufferSize{
    .key = "state.backend.rocksdb.writebuffer.size",
    .description = "Size of a write buffer, of which each state has some.",
    .default_text = "64 mb"};
inline constexpr ConfigOption<std::int32_t> kWriteBufferCount{
    .key = "state.backend.rocksdb.writebuffer.count",
    .description = "Most write buffers of a state. At least 2.",
    .default_text = "2"};
inline constexpr ConfigOption<std::int32_t> kWriteBuffersToMerge{
    .key = "state.backend.rocksdb.writebuffer.number-to-merge",
    .description = "Write buffers that are merged before they are written. At least 1.",
    .default_text = "1"};
inline constexpr ConfigOption<MemorySize> kBlockSize{
    .key = "state.backend.rocksdb.block.blocksize",
    .description = "Size of a block, which is read as one.",
    .default_text = "4 kb"};
inline constexpr ConfigOption<MemorySize> kMetadataBlockSize{
    .key = "state.backend.rocksdb.block.metadata-blocksize",
    .description = "Size of a block of a partitioned index.",
    .default_text = "4 kb"};
inline constexpr ConfigOption<MemorySize> kBlockCacheSize{
    .key = "state.backend.rocksdb.block.cache-size",
    .description = "Block cache of a database, without a common budget.",
    .default_text = "8 mb"};
inline constexpr ConfigOption<MemorySize> kWriteBatchSize{
    .key = "state.backend.rocksdb.write-batch-size",
    .description = "Bytes written to a database at once; 0 is no limit.",
    .default_text = "2 mb"};
inline constexpr ConfigOption<bool> kUsesBloomFilter{
    .key = "state.backend.rocksdb.use-bloom-filter",
    .description = "Gives files Bloom filters: fewer reads for keys that are not there.",
    .default_text = "false"};
inline constexpr ConfigOption<double> kBloomBitsPerKey{
    .key = "state.backend.rocksdb.bloom-filter.bits-per-key",
    .description = "Size of Bloom filters.",
    .default_text = "10.0"};
inline constexpr ConfigOption<Duration> kPeriodicCompaction{
    .key = "state.backend.rocksdb.compaction.filter.periodic-compaction-time",
    .description = "Age at which a file is merged again, so that expired state goes; 0 never.",
    .default_text = "30 d"};
/// Flink's, of all that a process manages itself.
inline constexpr ConfigOption<MemorySize> kManagedMemorySize{
    .key = "taskmanager.memory.managed.size",
    .description = "The memory budget that RocksDB databases share.",
    .default_text = "512 mb"};

}  // namespace options::rocksdb
}  // namespace streamrun
