#pragma once

#include <streamrun/stream/operator_context.h>

#include <string>
#include <vector>

namespace streamrun {

/// Gives prepared parts their final names, durably on return; those that have them already are
/// done. E-SINK-LOST if a part is neither where it was prepared nor, with the same bytes, where it
/// belongs. Blocking; from any thread.
Result<void> commit_parts(const FileSystems& file_systems,
                          const std::vector<std::string>& committables);

/// Removes the unfinished parts that dead attempts of this operator left in `folder`, except those
/// that `restored` or a retained snapshot name. What belongs to a run that is alive, a stranger, or
/// can't be known stays and is counted in a warning (invariants R2, R3, E4). Subtask i sees to the
/// parts of subtasks i, i + parallelism, …; subtask 0 also warns of finished parts of other jobs
/// that this one is going to add to. Blocking.
Result<void> remove_part_leftovers(const OperatorContext& context, const std::string& folder,
                                   const std::vector<std::string>& restored);

}  // namespace streamrun
