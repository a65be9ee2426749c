#pragma once

#include <streamrun/api/job.h>

namespace streamrun::jobs {

/// The jobs that come with streamrun.
const JobTable& shipped_jobs();

}  // namespace streamrun::jobs
