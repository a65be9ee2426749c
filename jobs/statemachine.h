#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// Checks endless events against a state machine per source, after Flink's example of recovery.
void state_machine(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
