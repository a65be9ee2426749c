#include <streamrun/config/option_table.h>
#include <streamrun/config/options.h>
#include <streamrun/config/rocksdb_keys.h>

#include <algorithm>

#include "accepted_options.h"

namespace streamrun {
namespace {

template <typename... T>
void add(std::vector<OptionInfo>& table, const ConfigOption<T>&... options) {
  (table.push_back(describe(options)), ...);
}

void add_checkpointing(std::vector<OptionInfo>& table) {
  using namespace options;
  add(table, kCheckpointInterval, kCheckpointingMode, kCheckpointTimeout, kCheckpointMinPause,
      kMaxConcurrentCheckpoints, kTolerableFailedCheckpoints, kPreferCheckpointForRecovery,
      kCheckpointsAfterTasksFinish, kUnalignedCheckpoints, kAlignedCheckpointTimeout,
      kIncrementalCheckpoints, kSnapshotCompression, kCheckpointDirectory, kSavepointDirectory,
      kCheckpointCreateSubdirectory, kCheckpointStorage, kCheckpointRetention, kRetainedCheckpoints,
      kDataInlineThreshold, kCheckpointHistory, kStateRecoveryPath, kIgnoreUnclaimedState,
      kClaimMode);
}

void add_running(std::vector<OptionInfo>& table) {
  using namespace options;
  add(table, kRuntimeMode, kBufferTimeout, kShutdownTimeout, kStateBackend, kParallelism,
      kMaxParallelism, kPipelineName, kOperatorChaining, kAutoWatermarkInterval, kStatusInterval,
      kJobId, kTemporaryDirectories, kDefaultScheme, kUnknownKeys);
}

void add_restarts(std::vector<OptionInfo>& table) {
  using namespace options;
  add(table, kRestartStrategy, kFixedDelayAttempts, kFixedDelayDelay, kFailureRateMax,
      kFailureRateInterval, kFailureRateDelay, kExponentialInitialBackoff, kExponentialMaxBackoff,
      kExponentialMultiplier, kExponentialResetThreshold, kExponentialJitter, kExponentialAttempts);
}

void add_network(std::vector<OptionInfo>& table) {
  using namespace options;
  add(table, kRestAddress, kRestPort, kRestBindPort, kRestBindAddress, kClientTimeout, kS3Endpoint,
      kS3Region, kS3AccessKey, kS3SecretKey, kS3PathStyle, kS3SessionToken, kS3PartSize,
      kS3ConcurrentUploads, kS3TransferMemory, kS3Timeout, kS3Attempts, kS3AllowUnconditional);
}

void add_rocksdb(std::vector<OptionInfo>& table) {
  using namespace options::rocksdb;
  add(table, kLocalDirectories, kPredefined, kManagedMemory, kMemoryPerSlot, kMemoryPerProcess,
      kWriteBufferRatio, kHighPriorityRatio, kPartitionedIndexFilters, kThreads, kOpenFiles,
      kCompactionStyle, kDynamicLevelSize, kTargetFileSize, kLevelBaseSize, kCompressionPerLevel,
      kWriteBufferSize, kWriteBufferCount, kWriteBuffersToMerge, kBlockSize, kMetadataBlockSize,
      kBlockCacheSize, kWriteBatchSize, kUsesBloomFilter, kBloomBitsPerKey, kPeriodicCompaction,
      kManagedMemorySize);
}

std::vector<OptionInfo> make_table() {
  std::vector<OptionInfo> table = accepted_options();
  add_checkpointing(table);
  add_running(table);
  add_restarts(table);
  add_network(table);
  add_rocksdb(table);
  std::sort(table.begin(), table.end(),
            [](const OptionInfo& a, const OptionInfo& b) { return a.key < b.key; });
  return table;
}

using Names = std::multimap<std::string_view, const OptionInfo*>;

Names make_names() {
  Names names;
  for (const OptionInfo& option : all_options()) {
    names.emplace(option.key, &option);
    for (const std::string& other : option.other_keys) names.emplace(other, &option);
  }
  return names;
}

}  // namespace

namespace internal {
Result<JobId> parse_configured_job_id(std::string_view text) {
  auto id = parse_job_id(text);
  if (id) return id;
  Error error = std::move(id).error();
  error.code = ErrorCode::config;
  error.retry = Retry::no;
  return error;
}
}  // namespace internal

const std::vector<OptionInfo>& all_options() {
  static const std::vector<OptionInfo> kTable = make_table();
  return kTable;
}

std::vector<const OptionInfo*> options_called(std::string_view key) {
  static const Names kNames = make_names();
  std::vector<const OptionInfo*> found;
  const auto [begin, end] = kNames.equal_range(key);
  for (auto name = begin; name != end; ++name) found.push_back(name->second);
  std::stable_partition(found.begin(), found.end(),
                        [&](const OptionInfo* option) { return option->key == key; });
  return found;
}

}  // namespace streamrun
