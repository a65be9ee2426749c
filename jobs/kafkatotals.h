#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// Running totals per key of orders that come from Kafka.
void kafka_totals(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::jobs
