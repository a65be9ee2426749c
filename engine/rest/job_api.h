#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/rest/operations.h>
#include <streamrun/rest/received_request.h>
#include <streamrun/runtime/job_control.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

struct RestAnswer {
  int status = 200;
  std::string body = "{}";  ///< JSON
};

/// One running job under Flink's paths and in its JSON, with and without the prefix `/v1`: what a
/// request means, without a socket. Thread-safe; `answer` may wait a few seconds for the JobMaster.
class JobApi {
 public:
  struct Options {
    JobId id;
    std::string name;
    std::int64_t started_unix_ms = 0;
    bool has_savepoint_directory = false;  ///< `state.savepoints.dir` is set
    std::string version;
    /// Names by which a browser may call, beside addresses and `localhost`; empty: any. A page from
    /// elsewhere can make a browser send requests to this machine, under a name of its own.
    std::vector<std::string> host_names = {};
    bool any_host = false;
    /// Removes a savepoint; blocks.
    std::function<Result<void>(const std::string& path)> dispose;
    /// The job has begun to be cancelled, as it was asked to. Any thread; must not block.
    std::function<void()> cancelling = [] {};
  };

  /// What it is given must outlive it, but for the answers of `control`, which may come later.
  JobApi(JobControl& control, const Clock& clock, Random& random, Options options);

  RestAnswer answer(const ReceivedRequest& request);
  /// The job has ended: what is asked from now on hears that, and nothing waits for `control`.
  void ended(const JobResult& result);
  Operations& operations() { return *operations_; }

 private:
  struct Shared;
  using Kind = Operations::Kind;
  using Path = std::vector<std::string>;

  bool is_foreign(const ReceivedRequest& request) const;
  RestAnswer of_job(const ReceivedRequest& request, const Path& path);
  RestAnswer overview_of(const ReceivedRequest& request, const Path& path);
  RestAnswer cancel(const ReceivedRequest& request);
  RestAnswer trigger_savepoint(const ReceivedRequest& request);
  RestAnswer trigger_stop(const ReceivedRequest& request);
  RestAnswer trigger_checkpoint(const ReceivedRequest& request);
  RestAnswer trigger_disposal(const ReceivedRequest& request);
  RestAnswer poll(Kind kind, const std::string& id);
  RestAnswer trigger(Kind kind, const std::string& wanted_id, int accepted,
                     const std::function<void(const std::string& id)>& begin);
  JobControl::Answer<std::string> answer_to(Kind kind, const std::string& id);
  Result<JobOverview> overview();

  JobControl& control_;
  const Clock& clock_;
  Random& random_;
  const Options options_;
  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Operations> operations_;
};

}  // namespace streamrun
