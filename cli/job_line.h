#pragma once

#include <streamrun/api/job.h>
#include <streamrun/api/job_arguments.h>
#include <streamrun/graph/job_graph.h>

#include <optional>
#include <string>
#include <vector>

#include "command.h"

namespace streamrun {

/// The job of that name; E-USAGE with the nearest name if there is none.
const Job& find_job(const JobTable& jobs, const std::string& name);

/// What is known of a job without running it.
struct JobListing {
  std::vector<JobArguments::Declaration> arguments;
  StreamGraph graph;
  /// An operator between sources and sinks keeps state.
  bool stateful() const;
};
/// Builds the job's graph with placeholders for its arguments. Errors of the program are thrown,
/// with the job's name.
JobListing list_job(const Job& job);

/// What stands behind `run` or `info`: the job and its arguments.
struct JobLine {
  const Job* job = nullptr;  ///< null: none was named
  JobArguments::Values arguments;
  bool help = false;  ///< `--help` stands among the arguments
};
/// Reads JOB and all that follows by the job's declarations. Throws E-USAGE for an unknown job, for
/// one of our own flags after JOB (with the line put right), for a value that is missing and for a
/// word that belongs to nothing. Names that the job does not declare in a listing pass, for
/// `JobArguments::check` to judge.
JobLine read_job_line(const Invocation& invocation);

/// The arguments of a job as help, for `info JOB --help`.
std::string job_help(const Job& job);

/// The number behind `-p`, if it was given; E-USAGE if it is none from 1 on.
std::optional<int> parallelism_flag(const Invocation& invocation);

}  // namespace streamrun
