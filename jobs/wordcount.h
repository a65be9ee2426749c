#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// Counts the words of text files, or of records of Kafka.
void word_count(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
