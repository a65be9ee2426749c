#pragma once

#include <streamrun/base/error.h>
#include <streamrun/checkpoint/restore_plan.h>

#include <vector>

namespace streamrun {

/// How a command names an operator: its uid, else its id.
std::string handle_of(const OperatorSnapshot& snapshot);

/// Whether anything of it would be lost if it were not restored.
bool has_state(const OperatorSnapshot& snapshot);

/// The same but for records in flight to it, which an operator without state may have too.
bool has_own_state(const OperatorSnapshot& snapshot);

/// State of an operator without a place in the job.
struct Homeless {
  const OperatorSnapshot* snapshot = nullptr;
  bool is_stateless_now = false;  ///< the operator is there but keeps no state
};

/// E-JOB-MISMATCH that shows both sides as a table, points at likely pairs, and says what can be
/// done.
Error mismatch_error(const RestoreFacts& facts, const std::vector<Homeless>& homeless);

}  // namespace streamrun
