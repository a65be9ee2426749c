#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// A sink that takes less than the source gives: what checkpoints do under back pressure.
void slow_sink(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
