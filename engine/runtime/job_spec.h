#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/checkpoint/checkpoint_coordinator.h>
#include <streamrun/checkpoint/restore_plan.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/config/options.h>
#include <streamrun/graph/job_graph.h>
#include <streamrun/runtime/restart_strategy.h>
#include <streamrun/state/chain_limits.h>
#include <streamrun/state/keyed_state_backend.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Everything that a JobMaster needs to run one job. A value, made before anything runs.
struct JobSpec {
  JobId id;
  JobId family_id;  ///< id of the first start that this run goes back to; its own for a fresh start
  std::string name;
  std::string registered_name;
  std::vector<std::pair<std::string, std::string>> arguments;
  std::map<std::string, std::string>
      configuration;  ///< to be recorded: what is not default, no secrets
  std::string version;
  std::string working_directory;
  int parallelism = 1;
  JobGraph graph;

  Duration watermark_interval = std::chrono::milliseconds(200);  ///< 0: no periodic ones

  int workers = 1;         ///< subtask i runs on worker i modulo this
  int control_worker = 1;  ///< the JobMaster's own

  CheckpointOptions checkpoints;
  bool exactly_once = true;
  /// How long after its trigger a checkpoint's barriers begin to overtake records; none: never.
  /// Needs exactly-once, one checkpoint at a time, and savepoints that do not overlap.
  std::optional<Duration> overtake_after;
  FileSystem* checkpoint_store = nullptr;  ///< null: in this process's memory
  std::string checkpoint_root;
  FileSystem* savepoint_store = nullptr;  ///< null: whoever asks for a savepoint names a folder
  std::string savepoint_root;
  /// After a failure the newest checkpoint is restored, though a newer savepoint exists.
  bool prefer_checkpoint = true;
  std::uint64_t inline_threshold = 20480;
  bool compresses_snapshots = false;
  /// A checkpoint on a store writes what changed since the one before it, and refers to files of
  /// that one for the rest, where the state backend can.
  bool incremental = false;
  ChainLimits chain_limits = {};  ///< of those; tests make them small
  StateBackend* state_backend =
      nullptr;  ///< where keyed state lives, outlives the job; null: in memory
  /// What one piece of state may have in a checkpoint that is kept in memory.
  std::uint64_t memory_limit = std::uint64_t{5} << 20U;
  std::size_t history = 10;  ///< snapshots before it that each one tells of
  int retained = 3;
  CheckpointRetention retention = CheckpointRetention::retain_on_cancellation;
  RestartOptions restart;
  Duration shutdown_timeout = std::chrono::seconds(60);
  std::optional<Duration> status_period;
  std::string lock_note;

  std::optional<ResolvedSnapshot> restore;
  /// The snapshot becomes this run's own (claim mode CLAIM): it counts as the oldest of those that
  /// are retained once this run has completed one on the store, and is removed as they are.
  bool claims_restored = false;
  bool allow_non_restored = false;
  std::vector<std::string> drop_state;
};

/// Decides how the job resumes from a snapshot, and gives operators the snapshot's maximum
/// parallelism where the job set none. Before anything runs; the JobMaster asks again after each
/// failure.
Result<RestorePlan> plan_restore(JobGraph& graph, const ResolvedSnapshot& snapshot,
                                 const std::string& registered_name, bool allow_non_restored,
                                 const std::vector<std::string>& drop_state);

}  // namespace streamrun
