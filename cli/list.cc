#include <streamrun/base/strings.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "output.h"
#include "reach_job.h"
#include "running_job_commands.h"
#include "table.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

bool is_scheduled(const std::string& state) {
  return state == "CREATED" || state == "INITIALIZING";
}

bool has_ended(const std::string& state) {
  return state == "FINISHED" || state == "CANCELED" || state == "FAILED";
}

/// Flink's choice: running and scheduled ones, unless one of the flags is given.
bool is_wanted(const ReachableJob& job, const Invocation& invocation) {
  const bool all = invocation.has("--all");
  const bool running = invocation.has("--running");
  const bool scheduled = invocation.has("--scheduled");
  if (all || !job.state) return true;
  const std::string& state = job.state->state;
  if (has_ended(state)) return false;
  if (running == scheduled) return true;
  return is_scheduled(state) == scheduled;
}

std::string rate_text(const JobState& state) {
  if (state.records_in < 0 || state.duration_ms <= 0) return "";
  return fmt::format("{:.0f}/s", static_cast<double>(state.records_in) * 1000 /
                                     static_cast<double>(state.duration_ms));
}

std::string text_of(const std::vector<ReachableJob>& jobs) {
  Table table(
      {"NAME", "JOB-ID", "STATE", "UPTIME", "IN/S", "LAST-CHECKPOINT", "RESTARTS", "PID", "WEB"});
  for (const ReachableJob& job : jobs) {
    const JobState state = job.state.value_or(JobState{});
    table.add({job.name, job.id, job.state ? state.state : "no-answer",
               job.state ? human_age(state.duration_ms) : "", rate_text(state),
               state.checkpoint_age_ms < 0 ? "" : human_age(state.checkpoint_age_ms) + "-ago",
               state.restarts < 0 ? "" : std::to_string(state.restarts),
               job.pid == 0 ? "" : std::to_string(job.pid), job.url});
  }
  return table.text();
}

std::string json_of(const std::vector<ReachableJob>& jobs) {
  Json list = Json::array();
  for (const ReachableJob& job : jobs) {
    Json each = {{"name", job.name}, {"job_id", job.id}};
    if (job.state) {
      each["state"] = job.state->state;
      each["started"] = rfc3339(job.state->started_unix_ms);
      each["uptime_ms"] = job.state->duration_ms;
      if (job.state->records_in >= 0) each["records_in"] = job.state->records_in;
      if (job.state->restarts >= 0) each["restarts"] = job.state->restarts;
      if (job.state->checkpoint_age_ms >= 0) {
        each["last_checkpoint"] = {{"age_ms", job.state->checkpoint_age_ms},
                                   {"path", job.state->checkpoint_path}};
      }
    } else {
      each["state"] = nullptr;
    }
    if (job.pid != 0) each["pid"] = job.pid;
    each["web"] = job.url;
    list.push_back(std::move(each));
  }
  const Json document = {{"v", 1}, {"jobs", std::move(list)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int list_command(const Invocation& invocation) {
  Reach reach(invocation);
  std::vector<ReachableJob> jobs = reach.all();
  std::erase_if(jobs, [&](const ReachableJob& job) { return !is_wanted(job, invocation); });
  if (invocation.global.json) {
    print(json_of(jobs));
  } else if (jobs.empty()) {
    print_note("no job is running", invocation.global);
  } else {
    print(text_of(jobs));
  }
  return 0;
}

}  // namespace streamrun
