#pragma once

#include <streamrun/config/config_option.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace streamrun {

enum class CheckpointingMode { exactly_once, at_least_once };
template <>
struct Choices<CheckpointingMode> {
  static constexpr auto list = std::to_array<Choice<CheckpointingMode>>(
      {{"EXACTLY_ONCE", CheckpointingMode::exactly_once},
       {"AT_LEAST_ONCE", CheckpointingMode::at_least_once}});
};

/// What becomes of the last checkpoints when a job is cancelled or fails.
enum class CheckpointRetention {
  no_externalized_checkpoints,
  delete_on_cancellation,
  retain_on_cancellation,
};
template <>
struct Choices<CheckpointRetention> {
  static constexpr auto list = std::to_array<Choice<CheckpointRetention>>(
      {{"NO_EXTERNALIZED_CHECKPOINTS", CheckpointRetention::no_externalized_checkpoints},
       {"DELETE_ON_CANCELLATION", CheckpointRetention::delete_on_cancellation},
       {"RETAIN_ON_CANCELLATION", CheckpointRetention::retain_on_cancellation}});
};

enum class CheckpointStorageType { jobmanager, filesystem };
template <>
struct Choices<CheckpointStorageType> {
  static constexpr auto list = std::to_array<Choice<CheckpointStorageType>>(
      {{"jobmanager", CheckpointStorageType::jobmanager},
       {"filesystem", CheckpointStorageType::filesystem}});
};

/// Who owns the files of the snapshot that a job starts from.
enum class ClaimMode { claim, no_claim, legacy };
template <>
struct Choices<ClaimMode> {
  static constexpr auto list = std::to_array<Choice<ClaimMode>>({{"CLAIM", ClaimMode::claim},
                                                                 {"NO_CLAIM", ClaimMode::no_claim},
                                                                 {"LEGACY", ClaimMode::legacy}});
};

enum class RuntimeMode { streaming, batch, automatic };
template <>
struct Choices<RuntimeMode> {
  static constexpr auto list =
      std::to_array<Choice<RuntimeMode>>({{"STREAMING", RuntimeMode::streaming},
                                          {"BATCH", RuntimeMode::batch},
                                          {"AUTOMATIC", RuntimeMode::automatic}});
};

/// `filesystem` and `jobmanager` are what Flink 1.x called heap state with either checkpoint
/// storage.
enum class StateBackendType { hashmap, rocksdb };
template <>
struct Choices<StateBackendType> {
  static constexpr auto list =
      std::to_array<Choice<StateBackendType>>({{"hashmap", StateBackendType::hashmap},
                                               {"rocksdb", StateBackendType::rocksdb},
                                               {"filesystem", StateBackendType::hashmap},
                                               {"jobmanager", StateBackendType::hashmap}});
};

enum class RestartStrategyType { none, fixed_delay, failure_rate, exponential_delay };
template <>
struct Choices<RestartStrategyType> {
  static constexpr auto list = std::to_array<Choice<RestartStrategyType>>(
      {{"none", RestartStrategyType::none},
       {"off", RestartStrategyType::none},
       {"disable", RestartStrategyType::none},
       {"fixed-delay", RestartStrategyType::fixed_delay},
       {"fixeddelay", RestartStrategyType::fixed_delay},
       {"failure-rate", RestartStrategyType::failure_rate},
       {"failurerate", RestartStrategyType::failure_rate},
       {"exponential-delay", RestartStrategyType::exponential_delay},
       {"exponentialdelay", RestartStrategyType::exponential_delay}});
};

/// What an unknown key of a configuration is.
enum class UnknownKeys { error, warn };
template <>
struct Choices<UnknownKeys> {
  static constexpr auto list = std::to_array<Choice<UnknownKeys>>(
      {{"error", UnknownKeys::error}, {"warn", UnknownKeys::warn}});
};

/// The options that streamrun acts on. `option_table.h` has these and those that it only accepts.
namespace options {

using Duration = std::chrono::nanoseconds;

// Checkpoints: when and how.

inline constexpr ConfigOption<Duration> kCheckpointInterval{
    .key = "execution.checkpointing.interval",
    .description =
        "Time between the starts of two checkpoints; without it none are taken. At least 10 ms."};
inline constexpr ConfigOption<CheckpointingMode> kCheckpointingMode{
    .key = "execution.checkpointing.mode",
    .description =
        "EXACTLY_ONCE aligns inputs at a checkpoint; AT_LEAST_ONCE does not wait, and "
        "records may be processed twice after a restart.",
    .default_text = "EXACTLY_ONCE"};
inline constexpr ConfigOption<Duration> kCheckpointTimeout{
    .key = "execution.checkpointing.timeout",
    .description = "A checkpoint that takes longer is given up. At least 10 ms.",
    .default_text = "10 min"};
inline constexpr ConfigOption<Duration> kCheckpointMinPause{
    .key = "execution.checkpointing.min-pause",
    .description =
        "Least time between the end of a checkpoint and the start of the next; a smaller "
        "interval is raised to it.",
    .default_text = "0 ms"};
inline constexpr ConfigOption<std::int32_t> kMaxConcurrentCheckpoints{
    .key = "execution.checkpointing.max-concurrent-checkpoints",
    .description = "How many checkpoints may be under way at once.",
    .default_text = "1"};
inline constexpr ConfigOption<std::int32_t> kTolerableFailedCheckpoints{
    .key = "execution.checkpointing.tolerable-failed-checkpoints",
    .description = "How many checkpoints in a row may fail before the job is restarted.",
    .default_text = "0"};
inline constexpr ConfigOption<bool> kPreferCheckpointForRecovery{
    .key = "execution.checkpointing.prefer-checkpoint-for-recovery",
    .description =
        "Whether a failure goes back to the newest checkpoint though a newer savepoint exists; "
        "false: "
        "to the newest of both, so that savepoint must be kept.",
    .default_text = "true"};
inline constexpr ConfigOption<bool> kCheckpointsAfterTasksFinish{
    .key = "execution.checkpointing.checkpoints-after-tasks-finish",
    .description = "Goes on with checkpoints when some tasks have reached the end of their input.",
    .default_text = "true",
    .other_keys = {"execution.checkpointing.checkpoints-after-tasks-finish.enabled"}};
inline constexpr ConfigOption<bool> kUnalignedCheckpoints{
    .key = "execution.checkpointing.unaligned.enabled",
    .description =
        "Lets checkpoints overtake records in flight and store those, so that back "
        "pressure does not delay them.",
    .default_text = "false",
    .other_keys = {"execution.checkpointing.unaligned"}};
inline constexpr ConfigOption<Duration> kAlignedCheckpointTimeout{
    .key = "execution.checkpointing.aligned-checkpoint-timeout",
    .description =
        "With unaligned checkpoints: how long one tries to align first; 0 starts unaligned.",
    .default_text = "0 ms",
    .other_keys = {"execution.checkpointing.alignment-timeout"}};
inline constexpr ConfigOption<bool> kIncrementalCheckpoints{
    .key = "execution.checkpointing.incremental",
    .description =
        "Stores only what changed since the last checkpoint, where the state backend can.",
    .default_text = "false",
    .other_keys = {"state.backend.incremental"}};
inline constexpr ConfigOption<bool> kSnapshotCompression{
    .key = "execution.checkpointing.snapshot-compression",
    .description = "Compresses the state files of full snapshots.",
    .default_text = "false"};

// Checkpoints: where, and how many.

inline constexpr ConfigOption<std::string> kCheckpointDirectory{
    .key = "execution.checkpointing.dir",
    .description = "Folder or URI under which checkpoints are stored; each job has a folder in it.",
    .other_keys = {"state.checkpoints.dir", "state.backend.fs.checkpointdir"}};
inline constexpr ConfigOption<std::string> kSavepointDirectory{
    .key = "execution.checkpointing.savepoint-dir",
    .description = "Folder or URI under which savepoints are stored when a command names none.",
    .other_keys = {"state.savepoints.dir", "savepoints.state.backend.fs.dir"}};
inline constexpr ConfigOption<bool> kCheckpointCreateSubdirectory{
    .key = "execution.checkpointing.create-subdir",
    .description = "Gives each job a folder named by its id in the checkpoint folder.",
    .default_text = "true",
    .other_keys = {"state.checkpoints.create-subdir"}};
inline constexpr ConfigOption<CheckpointStorageType> kCheckpointStorage{
    .key = "execution.checkpointing.storage",
    .description =
        "filesystem or jobmanager (in memory: nothing outlives the process). Unset, it is "
        "filesystem if a checkpoint folder is set.",
    .other_keys = {"state.checkpoint-storage"}};
inline constexpr ConfigOption<CheckpointRetention> kCheckpointRetention{
    .key = "execution.checkpointing.externalized-checkpoint-retention",
    .description = "What becomes of the newest checkpoints when the job is cancelled.",
    .default_text = "RETAIN_ON_CANCELLATION",
    .flink_default = "NO_EXTERNALIZED_CHECKPOINTS"};
inline constexpr ConfigOption<std::int32_t> kRetainedCheckpoints{
    .key = "execution.checkpointing.num-retained",
    .description = "How many completed checkpoints are kept. At least 1.",
    .default_text = "3",
    .flink_default = "1",
    .other_keys = {"state.checkpoints.num-retained"}};
inline constexpr ConfigOption<MemorySize> kDataInlineThreshold{
    .key = "execution.checkpointing.data-inline-threshold",
    .description = "State up to this size is stored inside _metadata, not in a file. At most 1 mb.",
    .default_text = "20 kb",
    .other_keys = {"state.storage.fs.memory-threshold", "state.backend.fs.memory-threshold"}};

inline constexpr ConfigOption<std::int32_t> kCheckpointHistory{
    .key = "web.checkpoints.history",
    .description =
        "How many checkpoints before it each one tells of, failed ones too: inspect --history.",
    .default_text = "10"};

// What a job starts from.

inline constexpr ConfigOption<std::string> kStateRecoveryPath{
    .key = "execution.state-recovery.path",
    .description = "The checkpoint or savepoint to start from, as -s sets it.",
    .other_keys = {"execution.savepoint.path"},
    .of_one_run = true};
inline constexpr ConfigOption<bool> kIgnoreUnclaimedState{
    .key = "execution.state-recovery.ignore-unclaimed-state",
    .description = "Drops state that fits no operator of the job, as -n does.",
    .default_text = "false",
    .other_keys = {"execution.savepoint.ignore-unclaimed-state"},
    .of_one_run = true};
inline constexpr ConfigOption<ClaimMode> kClaimMode{
    .key = "execution.state-recovery.claim-mode",
    .description = "Who owns the files of the snapshot that the job starts from.",
    .default_text = "NO_CLAIM",
    .other_keys = {"execution.savepoint-restore-mode"},
    .of_one_run = true};

// Running.

inline constexpr ConfigOption<RuntimeMode> kRuntimeMode{
    .key = "execution.runtime-mode",
    .description = "STREAMING takes checkpoints; BATCH and AUTOMATIC as in Flink.",
    .default_text = "STREAMING"};
inline constexpr ConfigOption<Duration> kBufferTimeout{
    .key = "execution.buffer-timeout.interval",
    .description = "How long records may wait in a batch before it is sent on; 0 sends each alone.",
    .default_text = "100 ms",
    .other_keys = {"execution.buffer-timeout"}};
inline constexpr ConfigOption<Duration> kShutdownTimeout{
    .key = "execution.shutdown-timeout",
    .description = "How long an orderly stop may take before the process ends anyway.",
    .default_text = "60 s",
    .flink_default = "none"};
inline constexpr ConfigOption<StateBackendType> kStateBackend{
    .key = "state.backend.type",
    .description = "Where keyed state lives: hashmap (memory) or rocksdb (local disk).",
    .default_text = "hashmap",
    .other_keys = {"state.backend"}};
inline constexpr ConfigOption<std::int32_t> kParallelism{
    .key = "parallelism.default",
    .description = "Parallelism of operators that name none. At least 1.",
    .default_text = "1"};
inline constexpr ConfigOption<std::int32_t> kMaxParallelism{
    .key = "pipeline.max-parallelism",
    .description =
        "Number of key groups: the most that keyed operators can be scaled to. -1 derives "
        "it from the parallelism; at most 32768.",
    .default_text = "-1"};
inline constexpr ConfigOption<std::string> kPipelineName{
    .key = "pipeline.name", .description = "Name of the job, instead of the one in the code."};
inline constexpr ConfigOption<bool> kOperatorChaining{
    .key = "pipeline.operator-chaining.enabled",
    .description = "Runs operators that follow each other without a shuffle as one task.",
    .default_text = "true",
    .other_keys = {"pipeline.operator-chaining"}};
inline constexpr ConfigOption<Duration> kAutoWatermarkInterval{
    .key = "pipeline.auto-watermark-interval",
    .description = "Least time between two watermarks of a subtask; 0 for none but the last.",
    .default_text = "200 ms"};
inline constexpr ConfigOption<Duration> kStatusInterval{
    .key = "status.interval",
    .description = "Time between status lines in the log of a running job.",
    .default_text = "60 s",
    .flink_default = "none"};
inline constexpr ConfigOption<JobId> kJobId{
    .key = "$internal.pipeline.job-id",
    .description =
        "The id of the job, 32 hex digits; otherwise drawn, or taken from the checkpoint.",
    .of_one_run = true};
inline constexpr ConfigOption<std::string> kTemporaryDirectories{
    .key = "io.tmp.dirs",
    .description = "Folders for working files, separated by commas; the system's if unset."};
inline constexpr ConfigOption<std::string> kDefaultScheme{
    .key = "fs.default-scheme",
    .description = "Scheme and authority for paths that have none, such as hdfs://nn:8020/."};
inline constexpr ConfigOption<UnknownKeys> kUnknownKeys{
    .key = "config.unknown-keys",
    .description = "Whether a key that nobody knows is an error or a warning.",
    .default_text = "error",
    .flink_default = "ignored"};

// Restarts.

inline constexpr ConfigOption<RestartStrategyType> kRestartStrategy{
    .key = "restart-strategy.type",
    .description =
        "none, fixed-delay, failure-rate or exponential-delay. Unset: exponential-delay "
        "with checkpoints, none without.",
    .other_keys = {"restart-strategy"}};
inline constexpr ConfigOption<std::int32_t> kFixedDelayAttempts{
    .key = "restart-strategy.fixed-delay.attempts",
    .description = "How many restarts the whole run may have.",
    .default_text = "1"};
inline constexpr ConfigOption<Duration> kFixedDelayDelay{
    .key = "restart-strategy.fixed-delay.delay",
    .description = "Time between a failure and the restart.",
    .default_text = "1 s"};
inline constexpr ConfigOption<std::int32_t> kFailureRateMax{
    .key = "restart-strategy.failure-rate.max-failures-per-interval",
    .description = "One failure more within the interval and the job fails.",
    .default_text = "1"};
inline constexpr ConfigOption<Duration> kFailureRateInterval{
    .key = "restart-strategy.failure-rate.failure-rate-interval",
    .description = "The sliding interval in which failures are counted.",
    .default_text = "1 min"};
inline constexpr ConfigOption<Duration> kFailureRateDelay{
    .key = "restart-strategy.failure-rate.delay",
    .description = "Time between a failure and the restart.",
    .default_text = "1 s"};
inline constexpr ConfigOption<Duration> kExponentialInitialBackoff{
    .key = "restart-strategy.exponential-delay.initial-backoff",
    .description = "The first delay. At least 1 ms.",
    .default_text = "1 s"};
inline constexpr ConfigOption<Duration> kExponentialMaxBackoff{
    .key = "restart-strategy.exponential-delay.max-backoff",
    .description = "The longest delay.",
    .default_text = "1 min"};
inline constexpr ConfigOption<double> kExponentialMultiplier{
    .key = "restart-strategy.exponential-delay.backoff-multiplier",
    .description = "What each delay is to the one before; above 1.",
    .default_text = "1.5"};
inline constexpr ConfigOption<Duration> kExponentialResetThreshold{
    .key = "restart-strategy.exponential-delay.reset-backoff-threshold",
    .description = "After running so long without failure the first delay is due again.",
    .default_text = "1 h"};
inline constexpr ConfigOption<double> kExponentialJitter{
    .key = "restart-strategy.exponential-delay.jitter-factor",
    .description = "By which part a delay may differ at random, from 0 to 1.",
    .default_text = "0.1"};
inline constexpr ConfigOption<std::int32_t> kExponentialAttempts{
    .key = "restart-strategy.exponential-delay.attempts-before-reset-backoff",
    .description = "How many restarts in a row, before the threshold is reached, are allowed.",
    .default_text = "2147483647"};

// HTTP. Flink lets `rest.port` stand in for `rest.bind-port`.

inline constexpr ConfigOption<std::string> kRestAddress{
    .key = "rest.address",
    .description = "Host at which commands look for the running job.",
    .default_text = "localhost",
    .flink_default = "none"};
inline constexpr ConfigOption<std::uint16_t> kRestPort{
    .key = "rest.port",
    .description =
        "Port at which commands look for the running job; also rest.bind-port if that is unset.",
    .default_text = "8081"};
inline constexpr ConfigOption<std::vector<PortRange>> kRestBindPort{
    .key = "rest.bind-port",
    .description =
        "The first free one of these ports serves REST; unset, any other if all are "
        "taken.",
    .default_text = "8081-8099",
    .flink_default = "8081",
    .other_keys = {"rest.port"}};
inline constexpr ConfigOption<std::string> kRestBindAddress{
    .key = "rest.bind-address",
    .description = "Address to serve HTTP on; anything but loopback is open to the network.",
    .default_text = "127.0.0.1",
    .flink_default = "none"};
inline constexpr ConfigOption<Duration> kClientTimeout{
    .key = "client.timeout",
    .description =
        "How long stop, savepoint and checkpoint wait; the running job goes on with it "
        "after that too. Unset, they wait until it is done.",
    .flink_default = "60 s",
    .of_one_run = true};

// S3, for the file system of that scheme.

inline constexpr ConfigOption<std::string> kS3Endpoint{
    .key = "s3.endpoint", .description = "URL of the object store, other than Amazon's."};
inline constexpr ConfigOption<std::string> kS3Region{.key = "s3.region",
                                                     .description = "Region of the buckets."};
inline constexpr ConfigOption<std::string> kS3AccessKey{
    .key = "s3.access-key",
    .description = "Access key; better from the environment than from a file."};
inline constexpr ConfigOption<std::string> kS3SecretKey{
    .key = "s3.secret-key",
    .description = "Secret key; better from the environment than from a file."};
inline constexpr ConfigOption<bool> kS3PathStyle{
    .key = "s3.path.style.access",
    .description = "Puts the bucket into the path of a request rather than into the host name.",
    .default_text = "false",
    .other_keys = {"s3.path-style-access"}};
inline constexpr ConfigOption<std::string> kS3SessionToken{
    .key = "s3.session.token",
    .description = "Session token of temporary credentials; better from the environment."};
inline constexpr ConfigOption<MemorySize> kS3PartSize{
    .key = "s3.upload.min.part.size",
    .description = "Larger files are uploaded in parts of this size. At least 5 mb.",
    .default_text = "8 mb",
    .flink_default = "5 mb"};
inline constexpr ConfigOption<std::int32_t> kS3ConcurrentUploads{
    .key = "s3.upload.max.concurrent.uploads",
    .description = "How many parts of one file are uploaded at a time.",
    .default_text = "4",
    .flink_default = "the number of cores"};
inline constexpr ConfigOption<MemorySize> kS3TransferMemory{
    .key = "s3.transfer.memory",
    .description =
        "Bound of the memory for parts that are uploaded or read ahead, all files together.",
    .default_text = "64 mb",
    .flink_default = "none"};
inline constexpr ConfigOption<Duration> kS3Timeout{
    .key = "s3.connection.timeout",
    .description = "How long one request to the object store may take.",
    .default_text = "60 s"};
inline constexpr ConfigOption<std::int32_t> kS3Attempts{
    .key = "s3.attempts.maximum",
    .description = "How often a request is tried, with growing pauses, before what needs it fails.",
    .default_text = "5"};
inline constexpr ConfigOption<bool> kS3AllowUnconditional{
    .key = "s3.allow-unconditional",
    .description =
        "Goes on with an object store that does not enforce If-None-Match, though two runners of "
        "one job could then overwrite each other's checkpoints.",
    .default_text = "false"};

}  // namespace options
}  // namespace streamrun
