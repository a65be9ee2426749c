#include "job_json.h"

#include <algorithm>
#include <array>
#include <map>

#include <nlohmann/json.hpp>

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool has_ended(JobStatus status) {
  return status == JobStatus::finished || status == JobStatus::canceled ||
         status == JobStatus::failed || status == JobStatus::suspended;
}

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::int64_t duration_of(const JobOverview& job, std::int64_t now_unix_ms) {
  const std::int64_t end = job.ended_unix_ms < 0 ? now_unix_ms : job.ended_unix_ms;
  return std::max<std::int64_t>(end - job.started_unix_ms, 0);
}

/// Flink's states of tasks, all of them.
constexpr auto kTaskStates =
    std::to_array<const char*>({"created", "scheduled", "deploying", "running", "finished",
                                "canceling", "canceled", "failed", "reconciling", "initializing"});

Json counts_of(const std::vector<const TaskOverview*>& tasks, bool in_capitals) {
  Json counts = Json::object();
  for (const char* const state : kTaskStates) {
    std::string name = state;
    if (in_capitals) {
      for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
    }
    counts[name] = std::count_if(tasks.begin(), tasks.end(),
                                 [&](const TaskOverview* task) { return task->state == state; });
  }
  return counts;
}

std::vector<const TaskOverview*> tasks_of(const JobOverview& job) {
  std::vector<const TaskOverview*> tasks;
  for (const TaskOverview& task : job.tasks) tasks.push_back(&task);
  return tasks;
}

/// What Flink's clients skip and ours shows.
Json own_members(const JobOverview& job) {
  const JobReport& report = job.report;
  Json own = {{"restarts", report.restarts},
              {"uptime", milliseconds(report.uptime)},
              {"read-records", report.records_in},
              {"write-records", report.records_out}};
  if (report.last_checkpoint) {
    own["last-checkpoint"] = {{"id", report.last_checkpoint->id},
                              {"path", report.last_checkpoint->path},
                              {"age", milliseconds(report.since_checkpoint)}};
  }
  return own;
}

Json vertex_json(const std::string& name, const std::vector<const TaskOverview*>& tasks,
                 const JobOverview& job, std::int64_t now_unix_ms) {
  const std::string state = tasks.front()->state;
  std::string status = state;
  for (char& c : status) c = static_cast<char>(c - 'a' + 'A');
  // Nothing here takes the id of a vertex; it tells vertices apart.
  return {{"id", to_string(operator_id_of(name))},
          {"name", name},
          {"parallelism", tasks.size()},
          {"status", status},
          {"start-time", job.started_unix_ms},
          {"end-time", job.ended_unix_ms},
          {"duration", duration_of(job, now_unix_ms)},
          {"tasks", counts_of(tasks, true)}};
}

}  // namespace

std::string overview_json(const JobOverview& job, std::int64_t now_unix_ms) {
  Json tasks = {{"total", job.tasks.size()}};
  tasks.update(counts_of(tasks_of(job), false));
  return text_of(Json{{"jobs", Json::array({{{"jid", to_string(job.id)},
                                             {"name", job.name},
                                             {"jobType", "STREAMING"},
                                             {"schedulerType", "Default"},
                                             {"start-time", job.started_unix_ms},
                                             {"end-time", job.ended_unix_ms},
                                             {"duration", duration_of(job, now_unix_ms)},
                                             {"state", to_string(job.status)},
                                             {"last-modification", job.last_change_unix_ms},
                                             {"tasks", tasks},
                                             {"pending-operators", 0},
                                             {"streamrun", own_members(job)}}})}});
}

std::string jobs_json(const JobOverview& job) {
  return text_of(Json{
      {"jobs", Json::array({{{"id", to_string(job.id)}, {"status", to_string(job.status)}}})}});
}

std::string job_json(const JobOverview& job, std::int64_t now_unix_ms) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const TaskOverview*>> by_vertex;
  for (const TaskOverview& task : job.tasks) {
    auto& tasks = by_vertex[task.vertex];
    if (tasks.empty()) order.push_back(task.vertex);
    tasks.push_back(&task);
  }
  Json vertices = Json::array();
  for (const std::string& name : order)
    vertices.push_back(vertex_json(name, by_vertex[name], job, now_unix_ms));
  return text_of(
      Json{{"jid", to_string(job.id)},
           {"name", job.name},
           {"isStoppable", false},
           {"state", to_string(job.status)},
           {"job-type", "STREAMING"},
           {"schedulerType", "Default"},
           {"start-time", job.started_unix_ms},
           {"end-time", job.ended_unix_ms},
           {"duration", duration_of(job, now_unix_ms)},
           {"maxParallelism", -1},
           {"now", now_unix_ms},
           {"timestamps",
            {{"CREATED", job.started_unix_ms}, {to_string(job.status), job.last_change_unix_ms}}},
           {"vertices", vertices},
           {"status-counts", counts_of(tasks_of(job), true)},
           {"pending-operators", 0},
           {"streamrun", own_members(job)}});
}

std::string status_json(const JobOverview& job) {
  return text_of(Json{{"status", to_string(job.status)}});
}

std::string cluster_json(const JobOverview& job, const std::string& version) {
  const auto is = [&](JobStatus status) { return job.status == status ? 1 : 0; };
  return text_of(Json{{"taskmanagers", 1},
                      {"slots-total", job.tasks.size()},
                      {"slots-available", 0},
                      {"jobs-running", has_ended(job.status) ? 0 : 1},
                      {"jobs-finished", is(JobStatus::finished)},
                      {"jobs-cancelled", is(JobStatus::canceled)},
                      {"jobs-failed", is(JobStatus::failed)},
                      {"flink-version", "streamrun " + version},
                      {"flink-commit", ""}});
}

std::string config_json(const std::string& version) {
  return text_of(Json{{"refresh-interval", 3000},
                      {"timezone-name", "UTC"},
                      {"timezone-offset", 0},
                      {"flink-version", "streamrun " + version},
                      {"flink-revision", ""},
                      {"features",
                       {{"web-submit", false},
                        {"web-cancel", false},
                        {"web-rescale", false},
                        {"web-history", false}}}});
}

std::string errors_json(const std::vector<std::string>& errors) {
  return text_of(Json{{"errors", errors}});
}

std::vector<std::string> texts_of(const Error& error) {
  std::vector<std::string> texts = {error.headline()};
  if (!error.why.empty()) texts.push_back("why: " + error.why);
  for (const std::string& each : error.tries) texts.push_back("try: " + each);
  return texts;
}

std::string location_json(const std::string& path) {
  return text_of(Json{{"location", path}});
}

std::string checkpoint_json(const CheckpointSummary& summary) {
  return text_of(Json{{"checkpointId", summary.id}, {"streamrun", {{"path", summary.path}}}});
}

std::string operation_json(const std::string& operation) {
  if (operation.empty()) return R"({"status":{"id":"IN_PROGRESS"}})";
  return R"({"status":{"id":"COMPLETED"},"operation":)" + operation + "}";
}

std::string request_id_json(const std::string& id) {
  return text_of(Json{{"request-id", id}});
}

}  // namespace streamrun
