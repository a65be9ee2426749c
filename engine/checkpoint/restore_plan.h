#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>

#include <functional>
#include <string>
#include <vector>

namespace streamrun {

/// A list state as an operator of the job declares it.
struct ListDescription {
  std::string name;
  std::string type;
  Redistribution redistribution = Redistribution::split;
};

/// An edge into an operator of the job, for records that were in flight on it.
struct InputDescription {
  OperatorId upstream;
  bool is_keyed = false;
  bool is_broadcast = false;
  std::string type;  ///< of a record; empty: it can't be read back
};

/// What a restore has to know of one operator of the job that is about to start.
struct NewOperator {
  OperatorId id;
  std::string uid = {};  ///< empty if the id comes from its position
  std::string name = {};
  int parallelism = 1;
  int max_parallelism = 128;
  bool max_parallelism_is_explicit = false;
  bool stateful = false;  ///< may keep state of any kind
  std::vector<StateDescription> keyed = {};
  std::vector<ListDescription> lists = {};
  std::vector<InputDescription> inputs = {};
  int vertex = -1;  ///< operators of one chain have the same; -1: on its own
};

/// All that `decide_restore` looks at. References outlive the call.
struct RestoreFacts {
  const CheckpointMetadata& snapshot;
  std::string directory;  ///< of the snapshot
  std::string job_name;   ///< as registered
  std::vector<NewOperator> operators;
  bool allow_non_restored = false;  ///< `-n`: state without a place is dropped, by whole operators
  std::vector<std::string> drop_state = {};  ///< `--drop-state`: uids, or ids where there is no uid
  /// Whether keyed values of the first type can be read as the second; none: only if they are
  /// equal.
  std::function<bool(const std::string& old_type, const std::string& new_type)> type_fits = {};
};

struct OperatorRestore {
  OperatorId id;
  int max_parallelism = 128;  ///< the snapshot's, if it has state and none was set explicitly
  bool restored = false;      ///< false: starts empty
  std::string coordinator_state;
  /// By new subtask. Keyed handles and keyed records in flight overlap the subtask's key groups and
  /// may hold more; file paths are absolute.
  std::vector<OperatorSubtaskState> subtasks;
};

struct RestorePlan {
  std::vector<OperatorRestore> operators;  ///< of the job, in the order given
  std::vector<std::string> dropped;        ///< uid (or id) of operators whose state is not restored
  std::vector<std::string> warnings;       ///< for a person
};

/// Decides whether and how a job resumes from a snapshot: all or nothing (L2). A pure function.
/// E-JOB-MISMATCH: state without a place (a table in `why`, remedies in `tries`), a state whose
/// kind or type does not fit
/// (`-n` does not help), a state that the operator no longer declares, records in flight on an edge
/// that the job no longer has or whose records changed. E-MAXP: a max parallelism
/// that was set and differs, a parallelism above it, or operators of one chain whose snapshots
/// differ. E-USAGE: `--drop-state` of what is not there.
Result<RestorePlan> decide_restore(const RestoreFacts& facts);

}  // namespace streamrun
