#include "job_client.h"

#include <streamrun/base/error.h>
#include <streamrun/base/strings.h>

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace streamrun {
namespace {

using Json = nlohmann::json;

/// For one exchange: a job that is too busy to answer says so itself after 5 s.
constexpr Duration kExchange = std::chrono::seconds(10);
constexpr Duration kFirstPause = std::chrono::milliseconds(5);
constexpr Duration kLongestPause = std::chrono::milliseconds(200);
/// After how many exchanges in a row without an answer it counts as lost.
constexpr int kTries = 3;

[[noreturn]] void not_understood(const std::string& url) {
  throw_error({.code = ErrorCode::unavailable,
               .message = "what answers there is not a running job",
               .where = url,
               .retry = Retry::no});
}

std::string without_prefix(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : "";
}

/// The error that a job answered: `E-CODE: what`, then `why:` and `try:`; or a text of Flink's.
Error error_of(const Json& errors, int status, const std::string& url) {
  Error error{.code = status == 404                   ? ErrorCode::path
                      : status < 500 && status != 409 ? ErrorCode::usage
                                                      : ErrorCode::unavailable,
              .message = "the job refused",
              .where = url,
              .retry = Retry::no};
  bool is_first = true;
  for (const Json& each : errors) {
    if (!each.is_string()) continue;
    std::string text = each.get<std::string>();
    if (is_first) {
      const std::size_t colon = text.find(": ");
      for (const ErrorCodeInfo& info : all_error_codes()) {
        if (text.substr(0, colon) != info.text) continue;
        error.code = info.code;
        error.where.clear();  // it is in the text, if there is one
        text = text.substr(colon + 2);
        break;
      }
      error.message = text;
    } else if (const std::string why = without_prefix(text, "why: "); !why.empty()) {
      error.why = why;
    } else if (std::string line = without_prefix(text, "try: "); !line.empty()) {
      error.tries.push_back(std::move(line));
    } else {
      error.message += " " + text;
    }
    is_first = false;
  }
  return error;
}

Json body_of(const HttpResponse& response, const std::string& url) {
  Json body = Json::parse(response.body, nullptr, false);
  if (!body.is_object()) not_understood(url);
  const auto errors = body.find("errors");
  if (errors != body.end() && errors->is_array())
    throw_error(error_of(*errors, response.status, url));
  if (response.status >= 300) not_understood(url);
  return body;
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
}

JobState state_of(const Json& job) {
  JobState state{.id = text_in(job, "jid"),
                 .name = text_in(job, "name"),
                 .state = text_in(job, "state"),
                 .started_unix_ms = number_in(job, "start-time"),
                 .duration_ms = number_in(job, "duration")};
  const auto own = job.find("streamrun");
  if (own == job.end() || !own->is_object()) return state;
  state.restarts = number_in(*own, "restarts");
  state.records_in = number_in(*own, "read-records");
  const auto checkpoint = own->find("last-checkpoint");
  if (checkpoint == own->end() || !checkpoint->is_object()) return state;
  state.checkpoint_age_ms = number_in(*checkpoint, "age");
  state.checkpoint_path = text_in(*checkpoint, "path");
  return state;
}

void pause(Duration time) {
  std::this_thread::sleep_for(time);
}

}  // namespace

JobClient::JobClient(Transport& transport, const Clock& clock, Random& random, std::string url,
                     std::optional<Duration> timeout)
    : transport_(transport),
      clock_(clock),
      random_(random),
      url_(std::move(url)),
      timeout_(timeout) {}

HttpResponse JobClient::send(const char* method, const std::string& path, const std::string& body) {
  Result<HttpResponse> response =
      transport_.exchange({.method = method,
                           .url = url_ + "/v1" + path,
                           .headers = {{"Content-Type", "application/json; charset=UTF-8"}},
                           .body = body},
                          kExchange);
  if (response) return *std::move(response);
  Error error = std::move(response).error();
  if (error.where.empty()) error.where = url_;
  throw_error(std::move(error));
}

std::vector<JobState> JobClient::jobs() {
  const Json body = body_of(send("GET", "/jobs/overview", "{}"), url_);
  const auto jobs = body.find("jobs");
  if (jobs == body.end() || !jobs->is_array()) not_understood(url_);
  std::vector<JobState> states;
  for (const Json& job : *jobs) {
    if (job.is_object()) states.push_back(state_of(job));
  }
  return states;
}

void JobClient::cancel(const std::string& id) {
  const HttpResponse response = send("PATCH", "/jobs/" + id + "?mode=cancel", "{}");
  if (response.status != 202) body_of(response, url_);
}

void JobClient::wait_for_end(const std::string& id) {
  Duration wait = kFirstPause;
  const Instant start = clock_.now();
  while (true) {
    std::string status;
    try {
      status = text_in(body_of(send("GET", "/jobs/" + id + "/status", "{}"), url_), "status");
    } catch (const ErrorException&) {
      return;  // its process has ended, as it was to
    }
    const bool has_ended =
        status == "CANCELED" || status == "FINISHED" || status == "FAILED" || status == "SUSPENDED";
    if (has_ended) return;
    if (timeout_ && clock_.now() - start > *timeout_) {
      throw_error({.code = ErrorCode::unavailable,
                   .message = "the job is " + status + " and has not ended yet",
                   .where = url_,
                   .why = "client.timeout has passed; it goes on with it",
                   .tries = {"streamrun list"}});
    }
    pause(wait);
    wait = std::min(wait * 2, kLongestPause);
  }
}

/// Asks again if the answer is lost: the id of the trigger makes it the same operation.
std::string JobClient::begin(const std::string& path, Json body) {
  const std::string id = random_.uuid();
  body["triggerId"] = id;
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::optional<HttpResponse> response;
  for (int tries = 1; !response; ++tries) {
    try {
      response = send("POST", path, text);
    } catch (const ErrorException&) {
      if (tries == kTries) throw;
      pause(kLongestPause);
    }
  }
  std::string given = text_in(body_of(*response, url_), "request-id");
  if (given.empty()) not_understood(url_);
  return given;
}

std::string JobClient::begin_savepoint(const std::string& id, Way way, const std::string& directory,
                                       const std::string& format) {
  const Json where = directory.empty() ? Json() : Json(directory);
  if (way == Way::stop || way == Way::drain) {
    return begin(
        "/jobs/" + id + "/stop",
        {{"targetDirectory", where}, {"drain", way == Way::drain}, {"formatType", format}});
  }
  return begin(
      "/jobs/" + id + "/savepoints",
      {{"target-directory", where}, {"cancel-job", way == Way::cancel}, {"formatType", format}});
}

std::string JobClient::begin_checkpoint(const std::string& id, bool full) {
  return begin("/jobs/" + id + "/checkpoints", {{"checkpointType", full ? "FULL" : "CONFIGURED"}});
}

std::string JobClient::begin_disposal(const std::string& path) {
  return begin("/savepoint-disposal", {{"savepoint-path", path}});
}

/// What was begun goes on whether or not somebody hears of it, so an answer that is lost says
/// nothing about it.
Json JobClient::wait_for(const std::string& path, const std::string& what) {
  Duration wait = kFirstPause;
  const Instant start = clock_.now();
  int tries_left = kTries;
  while (true) {
    std::optional<HttpResponse> response;
    try {
      response = send("GET", path, "{}");
      tries_left = kTries;
    } catch (const ErrorException& lost) {
      if (--tries_left == 0) {
        throw_error({.code = ErrorCode::unavailable,
                     .message = "the answer is lost: the " + what + " may be complete, or not",
                     .where = url_,
                     .why = lost.error().message +
                            (lost.error().why.empty() ? "" : ": " + lost.error().why),
                     .tries = {"streamrun list", "streamrun list-checkpoints --dir DIR"}});
      }
    }
    if (response) {
      Json body = body_of(*response, url_);
      const auto status = body.find("status");
      if (status == body.end() || !status->is_object()) not_understood(url_);
      if (text_in(*status, "id") == "COMPLETED") {
        const auto operation = body.find("operation");
        if (operation == body.end() || !operation->is_object()) not_understood(url_);
        if (const auto cause = operation->find("failure-cause"); cause != operation->end()) {
          throw_error({.code = ErrorCode::job_failed,
                       .message = "the " + what + " failed",
                       .where = url_,
                       .why = cause->is_object() ? text_in(*cause, "class") : "",
                       .retry = Retry::no});
        }
        return *operation;
      }
    }
    if (timeout_ && clock_.now() - start > *timeout_) {
      throw_error({.code = ErrorCode::unavailable,
                   .message = "the " + what + " is not complete yet",
                   .where = url_,
                   .why = "client.timeout has passed; the job goes on with it",
                   .tries = {"streamrun list", "streamrun list-checkpoints --dir DIR"}});
    }
    pause(wait);
    wait = std::min(wait * 2, kLongestPause);
  }
}

std::string JobClient::wait_for_savepoint(const std::string& id, const std::string& operation) {
  const Json done = wait_for("/jobs/" + id + "/savepoints/" + operation, "savepoint");
  std::string path = text_in(done, "location");
  if (path.empty()) not_understood(url_);
  return path;
}

std::string JobClient::wait_for_checkpoint(const std::string& id, const std::string& operation) {
  const Json done = wait_for("/jobs/" + id + "/checkpoints/" + operation, "checkpoint");
  const auto own = done.find("streamrun");
  if (own != done.end() && own->is_object()) {
    std::string path = text_in(*own, "path");
    if (!path.empty()) return path;
  }
  return fmt::format("chk-{}", number_in(done, "checkpointId"));
}

void JobClient::wait_for_disposal(const std::string& operation) {
  wait_for("/savepoint-disposal/" + operation, "disposal");
}

}  // namespace streamrun
