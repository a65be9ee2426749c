#include "rocksdb_configuration.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/options.h>
#include <streamrun/config/rocksdb_keys.h>
#include <streamrun/storage/file_system.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

namespace keys = options::rocksdb;

class Reader {
 public:
  Reader(const Configuration& configuration, std::string working_directory)
      : configuration_(configuration), working_directory_(std::move(working_directory)) {}

  RocksDbSettings read(int parallelism) const {
    RocksDbSettings settings;
    settings.directories = directories();
    settings.memory = memory(parallelism);
    settings.write_buffer_ratio = part(keys::kWriteBufferRatio);
    settings.high_prio_pool_ratio = part(keys::kHighPriorityRatio);
    settings.partitioned_index_filters = configuration_.get(keys::kPartitionedIndexFilters);
    settings.predefined = predefined();
    settings.threads = count(keys::kThreads, 1);
    settings.open_files = count(keys::kOpenFiles, -1);
    settings.compaction = compaction();
    settings.dynamic_level_size = if_set(keys::kDynamicLevelSize);
    settings.target_file_size_base = size(keys::kTargetFileSize);
    settings.max_size_level_base = size(keys::kLevelBaseSize);
    settings.write_buffer_size = size(keys::kWriteBufferSize);
    settings.write_buffer_count = count(keys::kWriteBufferCount, 2);
    settings.write_buffers_to_merge = count(keys::kWriteBuffersToMerge, 1);
    settings.block_size = size(keys::kBlockSize);
    settings.metadata_block_size = size(keys::kMetadataBlockSize);
    settings.block_cache_size = size(keys::kBlockCacheSize);
    settings.uses_bloom_filter = if_set(keys::kUsesBloomFilter);
    settings.bloom_bits_per_key = if_set(keys::kBloomBitsPerKey);
    settings.compression_per_level = compression();
    settings.write_batch_size = configuration_.get(keys::kWriteBatchSize).bytes;
    settings.periodic_compaction_seconds = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(configuration_.get(keys::kPeriodicCompaction))
            .count());
    return settings;
  }

 private:
  [[noreturn]] void refuse(std::string_view key, const std::string& what) const {
    throw_error({.code = ErrorCode::config,
                 .message = fmt::format("{}: {}", key, what),
                 .where = configuration_.from(key),
                 .retry = Retry::no});
  }
  /// Nothing for a default, so that predefined settings count.
  template <typename T>
  std::optional<T> if_set(const ConfigOption<T>& option) const {
    if (configuration_.origin_of(option.key) == Origin::default_value) return std::nullopt;
    return configuration_.find(option);
  }
  std::optional<std::uint64_t> size(const ConfigOption<MemorySize>& option) const {
    const auto found = if_set(option);
    if (!found) return std::nullopt;
    if (found->bytes == 0) refuse(option.key, "must be above 0");
    return found->bytes;
  }
  std::optional<int> count(const ConfigOption<std::int32_t>& option, int least) const {
    const auto found = if_set(option);
    if (found && *found < least) refuse(option.key, fmt::format("must be at least {}", least));
    return found;
  }
  double part(const ConfigOption<double>& option) const {
    const double value = configuration_.get(option);
    if (value < 0.0 || value > 1.0) refuse(option.key, "must be from 0 to 1");
    return value;
  }

  /// As in Flink: of a slot or of the process if either is set, else what is managed.
  std::optional<std::uint64_t> memory(int parallelism) const {
    if (const auto of_slot = size(keys::kMemoryPerSlot))
      return *of_slot * static_cast<std::uint64_t>(parallelism);
    if (!configuration_.get(keys::kManagedMemory)) return size(keys::kMemoryPerProcess);
    if (const auto of_process = size(keys::kMemoryPerProcess)) return of_process;
    const std::uint64_t managed = configuration_.get(keys::kManagedMemorySize).bytes;
    if (managed < kLeastMemory)
      refuse(keys::kManagedMemorySize.key, "databases need at least 4 mb");
    return managed;
  }

  std::vector<std::string> directories() const {
    auto text = configuration_.find(keys::kLocalDirectories);
    if (!text || text->empty()) text = configuration_.find(options::kTemporaryDirectories);
    std::vector<std::string> found;
    for (const std::string& some : split(text.value_or(""), ',')) {
      for (const std::string& each : split(some, ':')) {
        if (!each.empty()) found.push_back(absolute_path(each, working_directory_));
      }
    }
    if (found.empty()) found.push_back(std::filesystem::temp_directory_path().string());
    return found;
  }

  std::vector<std::string> compression() const {
    std::vector<std::string> names = configuration_.get(keys::kCompressionPerLevel);
    if (names.empty()) names.emplace_back("NO_COMPRESSION");
    for (const std::string& name : names) {
      if (!is_rocksdb_compression(name))
        refuse(keys::kCompressionPerLevel.key, "there is no " + name.substr(0, 64));
    }
    return names;
  }

  RocksDbPredefined predefined() const {
    switch (configuration_.get(keys::kPredefined)) {
      case RocksDbPredefinedOptions::standard:
        break;
      case RocksDbPredefinedOptions::spinning_disk_optimized:
        return RocksDbPredefined::spinning_disk_optimized;
      case RocksDbPredefinedOptions::spinning_disk_optimized_high_mem:
        return RocksDbPredefined::spinning_disk_optimized_high_mem;
      case RocksDbPredefinedOptions::flash_ssd_optimized:
        return RocksDbPredefined::flash_ssd_optimized;
    }
    return RocksDbPredefined::standard;
  }
  std::optional<RocksDbCompaction> compaction() const {
    const auto style = if_set(keys::kCompactionStyle);
    if (!style) return std::nullopt;
    switch (*style) {
      case RocksDbCompactionStyle::level:
        break;
      case RocksDbCompactionStyle::universal:
        return RocksDbCompaction::universal;
      case RocksDbCompactionStyle::fifo:
        // Its files are removed by age and size, whatever is in them.
        refuse(keys::kCompactionStyle.key, "FIFO would lose state");
      case RocksDbCompactionStyle::none:
        return RocksDbCompaction::none;
    }
    return RocksDbCompaction::level;
  }

  static constexpr std::uint64_t kLeastMemory = std::uint64_t{4} << 20U;

  const Configuration& configuration_;
  const std::string working_directory_;
};

}  // namespace

RocksDbSettings rocksdb_settings(const Configuration& configuration, int parallelism,
                                 const std::string& working_directory) {
  return Reader(configuration, working_directory).read(parallelism);
}

}  // namespace streamrun
