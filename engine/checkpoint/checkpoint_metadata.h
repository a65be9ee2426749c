#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/checkpoint/checkpoint_statistics.h>
#include <streamrun/state/state_handle.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// The state of one operator over all its subtasks.
struct OperatorSnapshot {
  OperatorId id;
  std::string uid;  ///< empty if the id comes from its position
  std::string name;
  int parallelism = 1;
  int max_parallelism = 128;
  std::string coordinator_state;               ///< of a source's enumerator; opaque bytes
  std::vector<OperatorSubtaskState> subtasks;  ///< by subtask index; `parallelism` of them
  bool operator==(const OperatorSnapshot&) const = default;
};

/// Everything that `_metadata` holds: enough to resume the job with no other argument.
struct CheckpointMetadata {
  SnapshotKind kind = SnapshotKind::checkpoint;
  CheckpointId id = 0;
  std::string attempt;  ///< uuid of the attempt to write this checkpoint
  JobId job_id;
  JobId family_id;       ///< job id of the first start that this run goes back to
  std::string job_name;  ///< `pipeline.name`, else the registered name
  std::string registered_name;
  std::vector<std::pair<std::string, std::string>> arguments;  ///< of the job, paths absolute
  int parallelism = 1;                                         ///< default parallelism of the run
  std::string plan;                                            ///< the job graph as JSON text
  std::map<std::string, std::string> configuration;            ///< what was not default, no secrets
  std::string restored_from;  ///< absolute path; empty when the run started empty
  std::int64_t triggered_unix_ms = 0;
  std::int64_t completed_unix_ms = 0;
  std::string version;  ///< of streamrun
  /// What snapshots took, oldest first: the last few, failed ones too, and this one as the last.
  std::vector<CheckpointStatistics> history;
  std::vector<OperatorSnapshot> operators;
  bool operator==(const CheckpointMetadata&) const = default;
};

}  // namespace streamrun
