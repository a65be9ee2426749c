#pragma once

#include <streamrun/connectors/file/part_name.h>
#include <streamrun/stream/operator_context.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Gives prepared parts their final names, durably on return; those that have them already are
/// done. E-SINK-LOST if a part is neither where it was prepared nor, with the same bytes, where it
/// belongs. Blocking; from any thread.
Result<void> commit_parts(const FileSystems& file_systems,
                          const std::vector<std::string>& committables);

/// The part that a committable names.
using PartOf = std::function<Result<PartCommittable>(std::string_view committable)>;

/// Removes the unfinished parts that dead attempts of this operator left in `folder`, except those
/// that `restored` or a retained snapshot name, as `part_of` reads them. What belongs to a run that
/// is alive, a stranger, or can't be known stays and is counted in a warning (invariants R2, R3,
/// E4). Subtask i sees to the parts of subtasks i, i + parallelism, …; subtask 0 also warns of
/// finished parts of other jobs that this one is going to add to. Blocking.
Result<void> remove_part_leftovers(const OperatorContext& context, const std::string& folder,
                                   const std::vector<std::string>& restored,
                                   const PartOf& part_of = decode_committable);

}  // namespace streamrun
