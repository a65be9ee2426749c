#pragma once

#include <streamrun/config/configuration.h>
#include <streamrun/platform/log.h>
#include <streamrun/rest/rest_server.h>

#include <memory>
#include <string>
#include <vector>

#include "running_jobs.h"

namespace streamrun {

/// Makes a job that runs reachable for `list`, `stop` and the like: serves REST and registers the
/// job. What fails is warned of; the job goes on without.
class ServedJob {
 public:
  /// What it is given must outlive it.
  ServedJob(JobControl& control, const Clock& clock, Random& random, Log& log,
            const Configuration& configuration, const JobApi::Options& options);
  /// The job has ended. Waits for whoever waits for an answer, a few seconds at most.
  void end(const JobResult& result);

 private:
  void enter(const Configuration& configuration, Log& log, const JobApi::Options& options);
  void serve(const Configuration& configuration, Log& log);

  JobApi api_;
  std::unique_ptr<RestServer> server_;
  std::unique_ptr<Registration> registration_;
};

}  // namespace streamrun
