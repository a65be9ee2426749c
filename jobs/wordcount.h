#pragma once

#include <streamrun/api/stream_execution_environment.h>

namespace streamrun::jobs {

/// Counts the words of text files.
void word_count(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
