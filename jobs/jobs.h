#pragma once

#include <streamrun/api/stream_execution_environment.h>

namespace streamrun::jobs {

/// The jobs that come with streamrun.
const JobTable& shipped_jobs();

}  // namespace streamrun::jobs
