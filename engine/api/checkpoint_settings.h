#pragma once

#include <streamrun/config/options.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// What a job's own code says of its checkpoints. It counts more than the configuration file and
/// less than the command line; what is left out comes from there. Each member is the key of Flink's
/// of that name below `execution.checkpointing`.
struct CheckpointSettings {
  using Duration = std::chrono::nanoseconds;

  std::optional<Duration> interval = {};  ///< at least 10 ms
  std::optional<CheckpointingMode> mode = {};
  std::optional<Duration> timeout = {};
  std::optional<Duration> min_pause = {};
  std::optional<int> max_concurrent_checkpoints = {};
  std::optional<int> tolerable_failed_checkpoints = {};
  std::optional<CheckpointRetention> externalized_checkpoint_retention = {};
  std::optional<bool> prefer_checkpoint_for_recovery = {};
  std::optional<bool> unaligned = {};
  std::optional<Duration> aligned_checkpoint_timeout = {};
  std::optional<bool> checkpoints_after_tasks_finish = {};
  std::optional<bool> incremental = {};
  std::optional<bool> snapshot_compression = {};
  std::optional<MemorySize> data_inline_threshold = {};  ///< at most 1 MiB
  std::optional<CheckpointStorageType> storage = {};
  std::optional<std::string> dir = {};  ///< this job's, instead of the one of all jobs
  std::optional<std::string> savepoint_dir = {};
  std::optional<int> num_retained = {};

  /// Those that are set, as configuration: key and text.
  std::vector<std::pair<std::string, std::string>> as_configuration() const;
};

/// What a job's own code says of where its state lives, and in the same words where its checkpoints
/// go: Flink's `setStateBackend(new RocksDBStateBackend("hdfs:///checkpoints", true))`.
struct StateBackendSettings {
  StateBackendType type = StateBackendType::hashmap;
  std::optional<std::string> checkpoint_dir = {};  ///< checkpoints are files then
  std::optional<bool> incremental = {};

  /// As configuration: key and text.
  std::vector<std::pair<std::string, std::string>> as_configuration() const;
};

}  // namespace streamrun
