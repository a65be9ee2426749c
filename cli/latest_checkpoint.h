#pragma once

#include <streamrun/checkpoint/checkpoint_index.h>

#include "checkpoint_query.h"

namespace streamrun {

/// The one snapshot of `list-checkpoints --latest`: for a job's name the same as `run -s latest`
/// takes. Throws E-PATH if there is none or the job ended by itself, and the error of a damaged one
/// that is newer than all good ones: an older one is never given unasked.
SnapshotEntry latest_checkpoint(const CheckpointQuery& query, const GlobalFlags& global,
                                const JobTable& jobs);

}  // namespace streamrun
