#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/key_groups.h>
#include <streamrun/platform/environment.h>
#include <streamrun/state/chain_limits.h>
#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/storage/file_systems.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// What the engine knows about another run of this job, for a sink that finds its leftovers.
enum class RunFate {
  this_run,
  dead,   ///< of this run's family (or of its name and without a snapshot), and its process is gone
  alive,  ///< its process holds its folder
  stranger,  ///< of another family
  unknown,   ///< its folder can't be read
};

/// What an operator gets to know about where it runs. Outlives the operator.
struct OperatorContext {
  Environment& environment;
  FileSystems& file_systems;
  std::string working_directory;

  JobId job_id;
  JobId family_id;
  std::string job_name;
  std::string attempt;  ///< uuid of this attempt to execute the job
  std::string uid;
  std::string name;
  OperatorId operator_id;
  int subtask = 0;
  int parallelism = 1;
  int max_parallelism = 128;
  KeyGroupRange key_groups;
  std::optional<ChainLimits> chain_limits = {};  ///< of incremental checkpoints; none: all are full
  Duration watermark_interval = std::chrono::milliseconds(200);  ///< 0: no periodic watermarks
  StateBackend* state_backend = nullptr;  ///< where keyed state lives; null: in memory
  /// No checkpoint is taken unless somebody asks, and the input does not end.
  bool commits_only_on_request = false;
  /// For files that an operator keeps until they are of no more use to it; Flink's `taskowned`.
  /// Empty if checkpoints live in memory.
  std::string task_owned_folder = {};
  /// Those of earlier runs of this run's family in which something is left. From an I/O thread.
  std::function<std::vector<std::string>()> earlier_task_owned_folders = [] {
    return std::vector<std::string>();
  };

  /// Runs `mail` on the thread that owns the task, soon. From any thread; does nothing once the
  /// task has gone.
  std::function<void(UniqueFunction<void()> mail)> post;
  /// Asks that the job stops with a last checkpoint, as if a person had; `why` is told. From any
  /// thread; the task goes on until then.
  std::function<void(const std::string& why)> stop_job = [](const std::string&) {};
  /// From an I/O thread.
  std::function<RunFate(const JobId&)> fate_of_run;
  /// The committables of this operator in every complete snapshot that a dead run left. From an I/O
  /// thread.
  std::function<std::vector<std::string>(const JobId&)> retained_committables;
};

}  // namespace streamrun
