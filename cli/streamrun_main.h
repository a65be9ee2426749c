#pragma once

#include <streamrun/api/job.h>

namespace streamrun {

/// The whole program, for a binary with its own jobs: parses the command line, does what it says
/// and returns the exit status for `main` to return. Everything that goes wrong is printed on
/// stderr and becomes a status; nothing is thrown. Call it once, from the main thread, before any
/// other thread is started. `jobs` has to outlive the call.
int streamrun_main(int argc, char** argv, const JobTable& jobs);

}  // namespace streamrun
