#pragma once

#include <streamrun/checkpoint/checkpoint_metadata.h>

#include <string>
#include <vector>

namespace streamrun {

/// Deals the state of an operator out to `parallelism` subtasks, by Flink's rules. With the same
/// parallelism split and broadcast lists stay where they are. Else: split lists are dealt in
/// subtask order, in contiguous runs of ⌊n/p⌋, the first n mod p subtasks getting one more, and the
/// next list begins at the subtask after the last remainder; of a broadcast list new subtask i gets
/// copy i mod old parallelism. Union lists always go whole to all. Keyed handles go to each subtask
/// whose key groups they overlap. Records in flight stay with the same parallelism where they were,
/// else go by their mapper: `range` to each subtask whose key groups overlap the old one's, where
/// others' are to be left out; `round_robin` from old subtask i to i mod `parallelism`.
std::vector<OperatorSubtaskState> redistribute(const OperatorSnapshot& snapshot, int parallelism);

}  // namespace streamrun
