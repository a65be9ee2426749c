#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/config/configuration.h>
#include <streamrun/config/options.h>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

TEST_CASE("checkpoint settings: each member sets the key of its name, and the rest stays unset",
          "[api]") {
  StreamExecutionEnvironment env;
  CHECK(env.settings().empty());
  env.enable_checkpointing(
      {.interval = 1s,
       .mode = CheckpointingMode::at_least_once,
       .timeout = 500ms,
       .min_pause = 20ms,
       .max_concurrent_checkpoints = 2,
       .tolerable_failed_checkpoints = 3,
       .externalized_checkpoint_retention = CheckpointRetention::delete_on_cancellation,
       .prefer_checkpoint_for_recovery = false,
       .unaligned = false,
       .aligned_checkpoint_timeout = 10s,
       .checkpoints_after_tasks_finish = true,
       .incremental = true,
       .snapshot_compression = true,
       .data_inline_threshold = MemorySize{1000},
       .storage = CheckpointStorageType::filesystem,
       .dir = "ckpt",
       .savepoint_dir = "sp",
       .num_retained = 7});
  Configuration configuration;
  for (const auto& [key, value] : env.settings()) {
    INFO(key);
    CHECK(configuration.set(key, value, Origin::job, "the job's code"));
  }
  CHECK(env.settings().size() == 18);
  CHECK(configuration.find(options::kCheckpointInterval) == 1s);
  CHECK(configuration.get(options::kCheckpointingMode) == CheckpointingMode::at_least_once);
  CHECK(configuration.get(options::kCheckpointTimeout) == 500ms);
  CHECK(configuration.get(options::kCheckpointMinPause) == 20ms);
  CHECK(configuration.get(options::kMaxConcurrentCheckpoints) == 2);
  CHECK(configuration.get(options::kTolerableFailedCheckpoints) == 3);
  CHECK(configuration.get(options::kCheckpointRetention) ==
        CheckpointRetention::delete_on_cancellation);
  CHECK_FALSE(configuration.get(options::kPreferCheckpointForRecovery));
  CHECK(configuration.get(options::kAlignedCheckpointTimeout) == 10s);
  CHECK(configuration.get(options::kIncrementalCheckpoints));
  CHECK(configuration.get(options::kSnapshotCompression));
  CHECK(configuration.get(options::kDataInlineThreshold).bytes == 1000);
  CHECK(configuration.find(options::kCheckpointStorage) == CheckpointStorageType::filesystem);
  CHECK(configuration.find(options::kCheckpointDirectory) == "ckpt");
  CHECK(configuration.find(options::kSavepointDirectory) == "sp");
  CHECK(configuration.get(options::kRetainedCheckpoints) == 7);
}

TEST_CASE("state backend settings: the backend, with the checkpoints' folder in the same call",
          "[api]") {
  StreamExecutionEnvironment env;
  env.set_state_backend({.type = StateBackendType::rocksdb,
                         .checkpoint_dir = "hdfs:///checkpoints/",
                         .incremental = true});
  Configuration configuration;
  for (const auto& [key, value] : env.settings()) {
    INFO(key);
    CHECK(configuration.set(key, value, Origin::job, "the job's code"));
  }
  CHECK(configuration.get(options::kStateBackend) == StateBackendType::rocksdb);
  CHECK(configuration.find(options::kCheckpointDirectory) == "hdfs:///checkpoints/");
  CHECK(configuration.find(options::kCheckpointStorage) == CheckpointStorageType::filesystem);
  CHECK(configuration.get(options::kIncrementalCheckpoints));

  StreamExecutionEnvironment plain;
  plain.set_state_backend({.type = StateBackendType::hashmap});
  CHECK(plain.settings() ==
        std::vector<std::pair<std::string, std::string>>{{"state.backend.type", "hashmap"}});
}

TEST_CASE("environment: a program may set any key, and what is said later counts", "[api]") {
  StreamExecutionEnvironment env;
  env.configure("restart-strategy.type", "fixed-delay");
  env.enable_checkpointing({.interval = 1s});
  env.configure("execution.checkpointing.interval", "2 s");
  Configuration configuration;
  for (const auto& [key, value] : env.settings())
    CHECK(configuration.set(key, value, Origin::job, "the job's code"));
  CHECK(configuration.find(options::kCheckpointInterval) == 2s);
  CHECK(configuration.find(options::kRestartStrategy) == RestartStrategyType::fixed_delay);
}

TEST_CASE("checkpoint settings: a negative duration is the job's mistake", "[api]") {
  StreamExecutionEnvironment env;
  CHECK_THROWS_AS(env.enable_checkpointing({.timeout = -1s}), ErrorException);
}

}  // namespace
}  // namespace streamrun
