#include "rocksdb_options.h"

#include <algorithm>
#include <utility>

#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace streamrun {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

/// The predefined settings, before those that are set one by one.
RocksDbSettings with_predefined(RocksDbSettings settings) {
  const auto set = [](auto& option, auto value) {
    if (!option) option = value;
  };
  switch (settings.predefined) {
    case RocksDbPredefined::standard:
      break;
    case RocksDbPredefined::spinning_disk_optimized_high_mem:
      set(settings.target_file_size_base, 256 * kMiB);
      set(settings.max_size_level_base, 1024 * kMiB);
      set(settings.write_buffer_size, 64 * kMiB);
      set(settings.write_buffer_count, 4);
      set(settings.write_buffers_to_merge, 3);
      set(settings.block_size, kMiB / 8);
      set(settings.block_cache_size, 256 * kMiB);
      set(settings.uses_bloom_filter, true);
      [[fallthrough]];
    case RocksDbPredefined::spinning_disk_optimized:
      set(settings.dynamic_level_size, true);
      set(settings.compaction, RocksDbCompaction::level);
      [[fallthrough]];
    case RocksDbPredefined::flash_ssd_optimized:
      set(settings.threads, 4);
      set(settings.open_files, -1);
      break;
  }
  return settings;
}

rocksdb::CompactionStyle style_of(RocksDbCompaction compaction) {
  switch (compaction) {
    case RocksDbCompaction::level:
      return rocksdb::kCompactionStyleLevel;
    case RocksDbCompaction::universal:
      return rocksdb::kCompactionStyleUniversal;
    case RocksDbCompaction::fifo:
      return rocksdb::kCompactionStyleFIFO;
    case RocksDbCompaction::none:
      break;
  }
  return rocksdb::kCompactionStyleNone;
}

rocksdb::BlockBasedTableOptions table_options(const RocksDbSettings& settings,
                                              const SharedMemory& shared) {
  rocksdb::BlockBasedTableOptions table;
  table.block_size = settings.block_size.value_or(kMiB / 256);
  table.metadata_block_size = settings.metadata_block_size.value_or(kMiB / 256);
  if (settings.uses_bloom_filter.value_or(false)) {
    table.filter_policy.reset(
        rocksdb::NewBloomFilterPolicy(settings.bloom_bits_per_key.value_or(10.0)));
  }
  if (shared.block_cache == nullptr) {
    table.block_cache = rocksdb::NewLRUCache(settings.block_cache_size.value_or(8 * kMiB));
    return table;
  }
  table.block_cache = shared.block_cache;
  // So that they count.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  if (settings.partitioned_index_filters) {
    table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
    table.partition_filters = true;
    table.pin_top_level_index_and_filter = true;
  }
  return table;
}

}  // namespace

std::optional<rocksdb::CompressionType> compression_called(const std::string& name) {
  static const std::pair<const char*, rocksdb::CompressionType> kTypes[] = {
      {"NO_COMPRESSION", rocksdb::kNoCompression},
      {"SNAPPY_COMPRESSION", rocksdb::kSnappyCompression},
      {"ZLIB_COMPRESSION", rocksdb::kZlibCompression},
      {"BZLIB2_COMPRESSION", rocksdb::kBZip2Compression},
      {"LZ4_COMPRESSION", rocksdb::kLZ4Compression},
      {"LZ4HC_COMPRESSION", rocksdb::kLZ4HCCompression},
      {"ZSTD_COMPRESSION", rocksdb::kZSTD}};
  for (const auto& [known, type] : kTypes) {
    if (name == known) return type;
  }
  return std::nullopt;
}

SharedMemory make_shared_memory(const RocksDbSettings& settings) {
  if (!settings.memory) return {};
  const RocksDbMemory shares = shares_of(*settings.memory, settings.write_buffer_ratio);
  SharedMemory shared;
  shared.block_cache =
      rocksdb::NewLRUCache(shares.block_cache, -1, false, settings.high_prio_pool_ratio);
  shared.write_buffers =
      std::make_shared<rocksdb::WriteBufferManager>(shares.write_buffers, shared.block_cache);
  return shared;
}

rocksdb::DBOptions database_options(const RocksDbSettings& given, const SharedMemory& shared) {
  const RocksDbSettings settings = with_predefined(given);
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = settings.threads.value_or(2);
  options.max_open_files = settings.open_files.value_or(-1);
  options.write_buffer_manager = shared.write_buffers;
  // So that an upload knows whether the disk still has what was written.
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  // Nothing of it outlives the run.
  options.avoid_flush_during_shutdown = true;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 4 * kMiB;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions column_family_options(const RocksDbSettings& given,
                                                   const SharedMemory& shared) {
  const RocksDbSettings settings = with_predefined(given);
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = settings.write_buffer_size.value_or(64 * kMiB);
  options.max_write_buffer_number = settings.write_buffer_count.value_or(2);
  options.min_write_buffer_number_to_merge = settings.write_buffers_to_merge.value_or(1);
  options.compaction_style = style_of(settings.compaction.value_or(RocksDbCompaction::level));
  options.level_compaction_dynamic_level_bytes = settings.dynamic_level_size.value_or(false);
  options.target_file_size_base = settings.target_file_size_base.value_or(64 * kMiB);
  options.max_bytes_for_level_base = settings.max_size_level_base.value_or(256 * kMiB);
  options.periodic_compaction_seconds = settings.periodic_compaction_seconds;
  for (int level = 0; level < options.num_levels; ++level) {
    const auto last = settings.compression_per_level.size() - 1;
    const std::string& name =
        settings.compression_per_level[std::min(static_cast<std::size_t>(level), last)];
    options.compression_per_level.push_back(
        compression_called(name).value_or(rocksdb::kNoCompression));
  }
  if (shared.write_buffers != nullptr) {
    // Many write buffers with little in them must not fill the budget with what they have set
    // aside.
    const std::uint64_t most = std::max(kMiB / 32, options.write_buffer_size / 8);
    options.arena_block_size =
        std::clamp<std::uint64_t>(shared.write_buffers->buffer_size() / 256, kMiB / 32, most);
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(settings, shared)));
  return options;
}

}  // namespace streamrun
