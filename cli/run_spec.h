#pragma once

#include <streamrun/api/job.h>
#include <streamrun/config/configuration.h>
#include <streamrun/runtime/job_spec.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flags.h"

namespace streamrun {

/// What `run` has found out before anything runs.
struct PreparedRun {
  JobSpec spec;
  Configuration configuration;
  std::vector<std::string> warnings;
  std::vector<std::string> notices;
  std::string checkpoints_text;  ///< `ckpt every 60 s, keep 3`, for the start line
  std::string from_text;         ///< what it starts from
  /// The job is known to have ended by itself: there is nothing to do.
  std::optional<std::string> nothing_left;
  /// Complete snapshots of the job's name that a start from nothing passes over, newest first.
  std::vector<std::string> passed_over;
  bool prints_to_stdout = false;
  /// How the operators of `spec.graph` are restored; none: they start empty.
  std::optional<RestorePlan> plan;
};

/// Puts configuration, snapshot, job and arguments together and checks that they fit. Reads, writes
/// nothing. Throws `ErrorException`.
PreparedRun prepare_run(const GlobalFlags& global, const RunFlags& flags, const JobTable& jobs,
                        FileSystems& file_systems, Random& random, std::int64_t unix_milliseconds);

}  // namespace streamrun
