#pragma once

#include <streamrun/platform/real_clock.h>
#include <streamrun/rest/job_api.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace streamrun::test {

/// A job that notes what it is asked and answers when the test says so.
class FakeJob final : public JobControl {
 public:
  void ask_overview(Answer<JobOverview> answer) override {
    if (!answers_overview) return kept.push_back(std::move(answer));
    answer(JobOverview{.id = *parse_job_id(kId),
                       .name = "words",
                       .status = JobStatus::running,
                       .started_unix_ms = 1000,
                       .ended_unix_ms = -1,
                       .last_change_unix_ms = 1500,
                       .report = {},
                       .tasks = {{.vertex = "Source", .subtask = 0, .state = "running"},
                                 {.vertex = "Source", .subtask = 1, .state = "initializing"}}});
  }
  void cancel(Answer<void> answer) override {
    ++cancels;
    answer(cancel_answer);
  }
  void take_checkpoint(bool full, Answer<CheckpointSummary> answer) override {
    asked.emplace_back(full ? "full checkpoint" : "checkpoint");
    answer(CheckpointSummary{.id = 26, .path = "/ckpt/chk-26"});
  }
  void take_savepoint(std::string directory, Answer<std::string> answer) override {
    take("savepoint", directory, std::move(answer));
  }
  void stop_with_savepoint(std::string directory, bool drain, Answer<std::string> answer) override {
    take(drain ? "drain" : "stop", directory, std::move(answer));
  }
  void cancel_with_savepoint(std::string directory, Answer<std::string> answer) override {
    take("cancel", directory, std::move(answer));
  }

  static constexpr const char* kId = "0123456789abcdef0123456789abcdef";
  bool answers_overview = true;
  Result<void> cancel_answer = {};
  int cancels = 0;
  std::vector<std::string> asked;
  std::vector<Answer<std::string>> waiting;  ///< savepoints, in order
  std::vector<Answer<JobOverview>> kept;

 private:
  void take(const std::string& what, const std::string& directory, Answer<std::string> answer) {
    asked.push_back(what + " " + directory);
    waiting.push_back(std::move(answer));
  }
};

/// The REST side of a FakeJob.
struct FakeWorld {
  explicit FakeWorld(bool has_savepoint_directory = false)
      : api(job, clock, random,
            {.id = *parse_job_id(FakeJob::kId),
             .name = "words",
             .started_unix_ms = 1000,
             .has_savepoint_directory = has_savepoint_directory,
             .version = "0",
             .host_names = {"here"},
             .any_host = false,
             .dispose = [this](const std::string& path) -> Result<void> {
               disposed.push_back(path);
               return dispose_answer;
             },
             .cancelling = [this] { ++cancelling; }}) {}

  RestAnswer ask(const std::string& method, const std::string& path, const std::string& body = "{}",
                 HttpHeaders headers = {{"host", "localhost:8081"}}) {
    const std::size_t question = path.find('?');
    return api.answer({.method = method,
                       .path = path.substr(0, question),
                       .query = question == std::string::npos ? "" : path.substr(question + 1),
                       .headers = std::move(headers),
                       .body = body});
  }
  /// The body of an answer, which must have this status.
  nlohmann::json json(int status, const RestAnswer& answer);

  RealClock clock;
  RealRandom random;
  FakeJob job;
  std::vector<std::string> disposed;
  Result<void> dispose_answer = {};
  int cancelling = 0;
  JobApi api;
};

}  // namespace streamrun::test
