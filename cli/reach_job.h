#pragma once

#include <streamrun/config/configuration.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/rest/http_client.h>

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "job_client.h"
#include "running_jobs.h"

namespace streamrun {

/// A job that a command can talk to.
struct ReachableJob {
  std::string id;
  std::string name;
  std::string url;
  std::int64_t pid = 0;  ///< 0: not known
  /// What it answered; nothing: it is registered and was not asked, or did not answer.
  std::optional<JobState> state = {};
};

/// Where commands look for running jobs: at `-m host:port` if it is given, else among the ones
/// that registered themselves, and at `rest.address` if that is configured to be elsewhere.
/// Blocks; errors are thrown.
class Reach {
 public:
  explicit Reach(const Invocation& invocation);

  /// All jobs, each asked for its state; those that died without a word are told of on stderr.
  std::vector<ReachableJob> all();
  /// The one that `word` names: by its id, the start of one with at least 4 digits, or its name.
  /// E-USAGE, with what runs, if there is none or more than one.
  ReachableJob one(const std::string& word);
  JobClient client_of(const std::string& url);
  const Configuration& configuration() const { return configuration_; }
  std::int64_t now_unix_ms() const { return clock_.unix_milliseconds(); }

 private:
  std::vector<ReachableJob> at(const std::string& url);
  std::vector<ReachableJob> registered();
  /// `http://host:port` of `-m` or of the configuration; nothing if neither names one.
  std::optional<std::string> named_url() const;
  [[noreturn]] void none_called(const std::string& word, const std::vector<ReachableJob>& jobs);

  const Invocation& invocation_;
  Configuration configuration_;
  RealClock clock_;
  RealRandom random_;
  HttpClient transport_;
};

}  // namespace streamrun
