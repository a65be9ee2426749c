#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/transport.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace streamrun {

/// A job as its REST server tells of it.
struct JobState {
  std::string id;
  std::string name;
  std::string state;  ///< Flink's word: `RUNNING`
  std::int64_t started_unix_ms = 0;
  std::int64_t duration_ms = 0;
  // What only our own servers tell; -1 and empty otherwise.
  std::int64_t restarts = -1;
  std::int64_t records_in = -1;
  std::int64_t checkpoint_age_ms = -1;
  std::string checkpoint_path = {};
};

/// Asks the REST server of a job, in Flink's protocol: a job manager of Flink's would do too.
/// Blocks; errors are thrown, with the code that the job gave them.
class JobClient {
 public:
  /// `timeout`: how long to wait for what takes a while; nothing: until it is done.
  JobClient(Transport& transport, const Clock& clock, Random& random, std::string url,
            std::optional<Duration> timeout);

  std::vector<JobState> jobs();
  /// Ends when the job has begun to be cancelled.
  void cancel(const std::string& id);
  /// Waits until the job can't be reached any more, or says that it has ended.
  void wait_for_end(const std::string& id);

  enum class Way { savepoint, stop, drain, cancel };
  /// Begins a savepoint and what it is for. An empty `directory` is the job's configured one.
  /// Returns the id of the operation.
  std::string begin_savepoint(const std::string& id, Way way, const std::string& directory,
                              const std::string& format);
  std::string begin_checkpoint(const std::string& id, bool full);
  std::string begin_disposal(const std::string& path);
  /// Waits for the savepoint, and returns its path.
  std::string wait_for_savepoint(const std::string& id, const std::string& operation);
  /// The path of the checkpoint, or `chk-N` for one without.
  std::string wait_for_checkpoint(const std::string& id, const std::string& operation);
  void wait_for_disposal(const std::string& operation);

  const std::string& url() const { return url_; }

 private:
  HttpResponse send(const char* method, const std::string& path, const std::string& body);
  std::string begin(const std::string& path, nlohmann::json body);
  nlohmann::json wait_for(const std::string& path, const std::string& what);

  Transport& transport_;
  const Clock& clock_;
  Random& random_;
  const std::string url_;
  const std::optional<Duration> timeout_;
};

}  // namespace streamrun
