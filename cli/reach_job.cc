#include "reach_job.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/options.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "load.h"
#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

constexpr std::size_t kShortestPrefix = 4;

std::vector<std::string> names_of(const std::vector<ReachableJob>& jobs) {
  std::vector<std::string> names;
  for (const ReachableJob& job : jobs) names.push_back(job.name);
  return names;
}

bool is_known(const std::vector<ReachableJob>& jobs, const std::string& id) {
  return std::any_of(jobs.begin(), jobs.end(),
                     [&](const ReachableJob& job) { return job.id == id; });
}

}  // namespace

Reach::Reach(const Invocation& invocation)
    : invocation_(invocation),
      configuration_(load_for_command(invocation.global, {}, {}, "").configuration) {}

JobClient Reach::client_of(const std::string& url) {
  if (url.empty()) {
    throw_error({.code = ErrorCode::unavailable,
                 .message = "the job serves no REST: no command can reach it",
                 .why = "its port was taken when it started; its log says which",
                 .tries = {"kill PID    # stops it with a last checkpoint; PID: streamrun list"},
                 .retry = Retry::no});
  }
  return {transport_, clock_, random_, url, configuration_.find(options::kClientTimeout)};
}

std::optional<std::string> Reach::named_url() const {
  if (const auto place = invocation_.value("--jobmanager"))
    return value_or_throw(parse_http_address(*place)).url();
  // Jobs of this machine register themselves; an address elsewhere has to be asked.
  const std::string host = configuration_.get(options::kRestAddress);
  if (host == "localhost" || host == "::1" || host.starts_with("127.")) return std::nullopt;
  return fmt::format("http://{}:{}", host, configuration_.get(options::kRestPort));
}

std::vector<ReachableJob> Reach::at(const std::string& url) {
  std::vector<ReachableJob> jobs;
  for (JobState& state : client_of(url).jobs()) {
    jobs.push_back({.id = state.id, .name = state.name, .url = url, .state = state});
  }
  return jobs;
}

std::vector<ReachableJob> Reach::registered() {
  RegisteredJobs found = registered_jobs(Lost::forget);
  for (const RunningJob& job : found.lost) {
    print_note(fmt::format("{} {} (pid {}) ended without a word; list-checkpoints --dir, with the "
                           "folder of its checkpoints, shows what it left",
                           job.name, job.id, job.pid),
               invocation_.global);
  }
  std::vector<ReachableJob> jobs;
  for (RunningJob& job : found.running) {
    jobs.push_back({.id = std::move(job.id),
                    .name = std::move(job.name),
                    .url = std::move(job.url),
                    .pid = job.pid});
  }
  return jobs;
}

std::vector<ReachableJob> Reach::all() {
  if (invocation_.has("--jobmanager")) return at(*named_url());
  std::vector<ReachableJob> jobs = registered();
  for (ReachableJob& job : jobs) {
    if (job.url.empty()) continue;
    try {
      for (JobState& state : client_of(job.url).jobs()) {
        if (state.id == job.id) job.state = std::move(state);
      }
    } catch (const ErrorException& thrown) {
      print_warning(
          fmt::format("{} {} does not answer: {}", job.name, job.id, thrown.error().headline()),
          invocation_.global);
    }
  }
  const auto url = named_url();
  if (!url) return jobs;
  try {
    for (ReachableJob& job : at(*url)) {
      if (!is_known(jobs, job.id)) jobs.push_back(std::move(job));
    }
  } catch (const ErrorException&) {
    if (jobs.empty()) throw;
  }
  return jobs;
}

ReachableJob Reach::one(const std::string& word) {
  std::vector<ReachableJob> jobs;
  if (const auto url = named_url()) {
    const bool only_there = invocation_.has("--jobmanager");
    if (!only_there) jobs = registered();
    try {
      for (ReachableJob& job : at(*url)) {
        if (!is_known(jobs, job.id)) jobs.push_back(std::move(job));
      }
    } catch (const ErrorException&) {
      if (jobs.empty()) throw;
    }
  } else {
    jobs = registered();
  }
  const std::string prefix = to_lower_ascii(word);
  std::vector<ReachableJob> matches;
  for (const ReachableJob& job : jobs) {
    const bool by_id = prefix.size() >= kShortestPrefix && job.id.starts_with(prefix);
    if (job.name == word || by_id) matches.push_back(job);
  }
  if (matches.empty()) none_called(word, jobs);
  if (matches.size() == 1) return std::move(matches.front());
  std::vector<std::string> tries;
  for (const ReachableJob& job : matches) {
    tries.push_back(
        fmt::format("streamrun {} {}    # {}", invocation_.command->name, job.id, job.name));
  }
  usage_error(fmt::format("several running jobs are called {}", word), std::move(tries));
}

void Reach::none_called(const std::string& word, const std::vector<ReachableJob>& jobs) {
  const std::string& command = invocation_.command->name;
  std::vector<std::string> tries;
  for (const ReachableJob& job : jobs) {
    tries.push_back(fmt::format("streamrun {} {}    # {}", command, job.id, job.name));
  }
  if (word.empty()) {
    usage_error(jobs.empty() ? fmt::format("{}: which job? none is running", command)
                             : fmt::format("{}: which job? give its id or its name", command),
                std::move(tries));
  }
  if (jobs.empty()) tries.emplace_back("streamrun list");
  usage_error(fmt::format("no running job is called {}{}", word.substr(0, 64),
                          jobs.empty() ? "; none is running" : did_you_mean(word, names_of(jobs))),
              std::move(tries));
}

}  // namespace streamrun
