#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// Users who were not seen for a while, in the time of the events: watermarks and timers.
void inactivity(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
