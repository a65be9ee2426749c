#pragma once

#include <streamrun/api/job.h>

#include "flags.h"

namespace streamrun {

/// Runs a job until it ends or is stopped; returns the exit status of the process. Throws
/// `ErrorException` for what ends the command with an error. Handles signals while it runs.
int run_job(const GlobalFlags& global, const RunFlags& flags, const JobTable& jobs);

}  // namespace streamrun
