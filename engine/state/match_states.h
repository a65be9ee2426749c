#pragma once

#include <streamrun/base/result.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/state_handle.h>

#include <vector>

namespace streamrun {

/// For each state of a snapshot its number in the table, which is told which are of older types.
/// E-JOB-MISMATCH if one has no place there.
Result<std::vector<int>> match_states(const std::vector<StateDescription>& saved,
                                      KeyedTableBase& table);

}  // namespace streamrun
