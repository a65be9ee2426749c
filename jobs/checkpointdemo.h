#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// Sets everything there is to set of checkpoints in its code.
void checkpoint_demo(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
