#include <streamrun/base/strings.h>
#include <streamrun/rest/job_api.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "job_json.h"

namespace streamrun {
namespace {

using Json = nlohmann::json;

/// How long the JobMaster may take to answer what it can answer at once.
constexpr Duration kPatience = std::chrono::seconds(5);
constexpr std::size_t kLongestTextBytes = 4096;

RestAnswer refuse(int status, std::string text) {
  return {.status = status, .body = errors_json({std::move(text)})};
}

int status_of(const Error& error) {
  if (error.code == ErrorCode::usage || error.code == ErrorCode::path) return 400;
  return error.code == ErrorCode::unavailable ? 409 : 500;
}

RestAnswer refuse(const Error& error) {
  return {.status = status_of(error), .body = errors_json(texts_of(error))};
}

RestAnswer not_found(const std::string& path) {
  return refuse(404, "Not found: " + shortened(path));
}

bool is_hex_id(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

bool is_address(std::string_view host) {
  const bool has_only_digits = std::all_of(
      host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return has_only_digits || host.starts_with('[');
}

/// The members of a request's body; each is checked as it is read.
class Body {
 public:
  explicit Body(const ReceivedRequest& request)
      : json_(request.body.empty() ? Json::object() : Json::parse(request.body, nullptr, false)) {
    if (!json_.is_object()) problem_ = "The body of the request is not a JSON object.";
  }
  /// Empty if it is not there or null.
  std::string text(const char* name) {
    const Json* const member = find(name);
    if (member == nullptr) return {};
    if (!member->is_string()) return wrong(name, "a text"), "";
    auto text = member->get<std::string>();
    const bool is_fine = text.size() <= kLongestTextBytes && is_valid_utf8(text) &&
                         text.find('\0') == std::string::npos;
    return is_fine ? text : (wrong(name, "a text of at most 4096 bytes"), "");
  }
  bool flag(const char* name) {
    const Json* const member = find(name);
    if (member == nullptr) return false;
    if (!member->is_boolean()) return wrong(name, "true or false"), false;
    return member->get<bool>();
  }
  std::string choice(const char* name, const std::vector<std::string>& choices) {
    std::string chosen = text(name);
    const bool known = std::find(choices.begin(), choices.end(), chosen) != choices.end();
    if (!chosen.empty() && !known) wrong(name, "one of " + join(choices, ", "));
    return chosen;
  }
  /// 32 hex digits, or empty.
  std::string trigger_id() {
    std::string id = text("triggerId");
    if (!id.empty() && !is_hex_id(id)) wrong("triggerId", "32 hex digits");
    return to_lower_ascii(id);
  }
  /// The first thing that is wrong; empty if nothing is.
  const std::string& problem() const { return problem_; }

 private:
  const Json* find(const char* name) const {
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  void wrong(const char* name, const std::string& expected) {
    if (problem_.empty())
      problem_ = fmt::format("The member \"{}\" of the body is not {}.", name, expected);
  }

  const Json json_;
  std::string problem_;
};

const std::vector<std::string> kFormats = {"CANONICAL", "NATIVE"};
const std::vector<std::string> kCheckpointTypes = {"CONFIGURED", "FULL", "INCREMENTAL"};

}  // namespace

/// What answers of the JobMaster are written into: one that comes late finds it still there.
struct JobApi::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  JobOverview last;            // guarded by mutex
  bool job_has_ended = false;  // guarded by mutex

  /// Waits for what `ask` hands to the function that it is given. With the end of the job: nothing.
  template <typename T>
  std::optional<Result<T>> wait_for(
      const std::shared_ptr<Shared>& self,
      const std::function<void(std::function<void(Result<T>)>)>& ask) {
    auto slot = std::make_shared<std::optional<Result<T>>>();
    ask([self, slot](Result<T> result) {
      {
        const std::lock_guard lock(self->mutex);
        slot->emplace(std::move(result));
      }
      self->changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kPatience, [&] { return slot->has_value() || job_has_ended; });
    return *slot;
  }
};

JobApi::JobApi(JobControl& control, const Clock& clock, Random& random, Options options)
    : control_(control),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      shared_(std::make_shared<Shared>()),
      operations_(std::make_shared<Operations>(clock)) {
  shared_->last.id = options_.id;
  shared_->last.name = options_.name;
  shared_->last.started_unix_ms = options_.started_unix_ms;
  shared_->last.last_change_unix_ms = options_.started_unix_ms;
}

void JobApi::ended(const JobResult& result) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->job_has_ended = true;
    shared_->last.status = result.status;
    shared_->last.ended_unix_ms = clock_.unix_milliseconds();
    shared_->last.last_change_unix_ms = shared_->last.ended_unix_ms;
    shared_->last.tasks.clear();
  }
  shared_->changed.notify_all();
}

Result<JobOverview> JobApi::overview() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->job_has_ended) return shared_->last;
  }
  auto asked = shared_->wait_for<JobOverview>(
      shared_, [this](auto answer) { control_.ask_overview(std::move(answer)); });
  const std::lock_guard lock(shared_->mutex);
  if (shared_->job_has_ended) return shared_->last;
  if (!asked) {
    return Error{.code = ErrorCode::unavailable,
                 .message = "the job does not answer: a function of its own blocks it"};
  }
  if (*asked) shared_->last = **asked;
  return *std::move(asked);
}

/// Whether a browser sends this for a page that is not of this server.
bool JobApi::is_foreign(const ReceivedRequest& request) const {
  const std::string host = request.header("host");
  const std::string origin = request.header("origin");
  const bool has_origin = std::any_of(request.headers.begin(), request.headers.end(),
                                      [](const auto& header) { return header.first == "origin"; });
  if (has_origin && origin != "http://" + host) return true;
  if (options_.any_host || host.empty()) return false;
  const std::string name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return !is_address(name) && name != "localhost" &&
         std::find(options_.host_names.begin(), options_.host_names.end(), name) ==
             options_.host_names.end();
}

RestAnswer JobApi::answer(const ReceivedRequest& request) {
  if (is_foreign(request))
    return refuse(403, "The request comes from a page of another site, or names another host.");
  Path path = split(std::string_view(request.path).substr(1), '/');
  if (!path.empty() && path.front() == "v1") path.erase(path.begin());
  while (!path.empty() && path.back().empty()) path.pop_back();
  if (path.empty()) return not_found(request.path);
  if (path.front() == "jobs" && path.size() >= 2 && path[1] != "overview")
    return of_job(request, path);
  if (path.front() == "savepoint-disposal") {
    if (path.size() == 1 && request.method == "POST") return trigger_disposal(request);
    if (path.size() == 2 && request.method == "GET") return poll(Kind::disposal, path[1]);
    return path.size() > 2 ? not_found(request.path)
                           : refuse(405, "Not allowed: " + request.method);
  }
  return overview_of(request, path);
}

RestAnswer JobApi::overview_of(const ReceivedRequest& request, const Path& path) {
  const std::string what = join(path, "/");
  const bool known =
      what == "jobs" || what == "jobs/overview" || what == "overview" || what == "config";
  if (!known) return not_found(request.path);
  if (request.method != "GET") return refuse(405, "Not allowed: " + request.method);
  if (what == "config") return {.body = config_json(options_.version)};
  const Result<JobOverview> job = overview();
  if (!job) return refuse(job.error());
  if (what == "jobs") return {.body = jobs_json(*job)};
  if (what == "overview") return {.body = cluster_json(*job, options_.version)};
  return {.body = overview_json(*job, clock_.unix_milliseconds())};
}

RestAnswer JobApi::of_job(const ReceivedRequest& request, const Path& path) {
  const std::string& id = path[1];
  if (!is_hex_id(id)) {
    return refuse(400, fmt::format("Cannot resolve path parameter (jobid) from value \"{}\".",
                                   id.substr(0, 64)));
  }
  if (to_lower_ascii(id) != to_string(options_.id))
    return refuse(404, fmt::format("Job {} not found", to_lower_ascii(id)));
  const bool gets = request.method == "GET";
  const bool posts = request.method == "POST";
  const std::string what = path.size() > 2 ? path[2] : "";
  if (path.size() == 2 && request.method == "PATCH") return cancel(request);
  if (path.size() == 2 || (path.size() == 3 && what == "status")) {
    if (!gets) return refuse(405, "Not allowed: " + request.method);
    const Result<JobOverview> job = overview();
    if (!job) return refuse(job.error());
    return {.body = what.empty() ? job_json(*job, clock_.unix_milliseconds()) : status_json(*job)};
  }
  if (path.size() == 3 && posts) {
    if (what == "savepoints") return trigger_savepoint(request);
    if (what == "stop") return trigger_stop(request);
    if (what == "checkpoints") return trigger_checkpoint(request);
  }
  if (path.size() == 4 && gets) {
    if (what == "savepoints") return poll(Kind::savepoint, path[3]);
    if (what == "checkpoints") return poll(Kind::checkpoint, path[3]);
  }
  return not_found(request.path);
}

RestAnswer JobApi::cancel(const ReceivedRequest& request) {
  const std::string mode = request.parameter("mode");
  if (!mode.empty() && mode != "cancel")
    return refuse(400, "Only the mode \"cancel\" is there; to stop: POST /jobs/:jobid/stop");
  const auto answer =
      shared_->wait_for<void>(shared_, [this](auto done) { control_.cancel(std::move(done)); });
  if (answer && *answer) {
    options_.cancelling();
    return {.status = 202};
  }
  if (answer) return refuse(answer->error());
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->job_has_ended)
    return refuse(500, "The job does not answer; it is cancelled when it does.");
  return refuse(409, fmt::format("Job {} is {} already", to_string(options_.id),
                                 to_string(shared_->last.status)));
}

RestAnswer JobApi::trigger(Kind kind, const std::string& wanted_id, int accepted,
                           const std::function<void(const std::string& id)>& begin) {
  const std::string id = wanted_id.empty() ? random_.uuid() : wanted_id;
  switch (operations_->begin(kind, id)) {
    case Operations::Begun::refused:
      return refuse(409, "Too many operations are under way.");
    case Operations::Begun::now:
      begin(id);
      break;
    case Operations::Begun::before:
      break;
  }
  return {.status = accepted, .body = request_id_json(id)};
}

JobControl::Answer<std::string> JobApi::answer_to(Kind kind, const std::string& id) {
  return [operations = operations_, kind, id](Result<std::string> path) {
    if (!path) return operations->end(kind, id, std::move(path).error());
    operations->end(kind, id, location_json(*path));
  };
}

namespace {

RestAnswer no_directory(const char* member) {
  return refuse(400, fmt::format("E-USAGE: Config key [execution.checkpointing.savepoint-dir] is "
                                 "not set. Property [{}] must be provided.",
                                 member));
}

}  // namespace

RestAnswer JobApi::trigger_savepoint(const ReceivedRequest& request) {
  Body body(request);
  const std::string directory = body.text("target-directory");
  const bool cancels = body.flag("cancel-job");
  body.choice("formatType", kFormats);
  const std::string id = body.trigger_id();
  if (!body.problem().empty()) return refuse(400, body.problem());
  if (directory.empty() && !options_.has_savepoint_directory)
    return no_directory("target-directory");
  return trigger(Kind::savepoint, id, 202, [&](const std::string& given) {
    auto answer = answer_to(Kind::savepoint, given);
    if (cancels) {
      return control_.cancel_with_savepoint(
          directory, [answer = std::move(answer), cancelling = options_.cancelling](auto path) {
            if (path) cancelling();
            answer(std::move(path));
          });
    }
    control_.take_savepoint(directory, std::move(answer));
  });
}

RestAnswer JobApi::trigger_stop(const ReceivedRequest& request) {
  Body body(request);
  const std::string directory = body.text("targetDirectory");
  const bool drain = body.flag("drain");
  body.choice("formatType", kFormats);
  const std::string id = body.trigger_id();
  if (!body.problem().empty()) return refuse(400, body.problem());
  if (directory.empty() && !options_.has_savepoint_directory)
    return no_directory("targetDirectory");
  return trigger(Kind::savepoint, id, 202, [&](const std::string& given) {
    control_.stop_with_savepoint(directory, drain, answer_to(Kind::savepoint, given));
  });
}

RestAnswer JobApi::trigger_checkpoint(const ReceivedRequest& request) {
  Body body(request);
  const bool full = body.choice("checkpointType", kCheckpointTypes) == "FULL";
  const std::string id = body.trigger_id();
  if (!body.problem().empty()) return refuse(400, body.problem());
  return trigger(Kind::checkpoint, id, 202, [&](const std::string& given) {
    control_.take_checkpoint(
        full, [operations = operations_, given](Result<CheckpointSummary> taken) {
          if (!taken) return operations->end(Kind::checkpoint, given, std::move(taken).error());
          operations->end(Kind::checkpoint, given, checkpoint_json(*taken));
        });
  });
}

RestAnswer JobApi::trigger_disposal(const ReceivedRequest& request) {
  Body body(request);
  const std::string path = body.text("savepoint-path");
  const std::string id = body.trigger_id();
  if (!body.problem().empty()) return refuse(400, body.problem());
  if (path.empty()) return refuse(400, "The member \"savepoint-path\" of the body is missing.");
  return trigger(Kind::disposal, id, 200, [&](const std::string& given) {
    const Result<void> done = options_.dispose(path);
    operations_->end(Kind::disposal, given, done ? Operations::Outcome("{}") : done.error());
  });
}

RestAnswer JobApi::poll(Kind kind, const std::string& id) {
  if (!is_hex_id(id)) {
    return refuse(400, fmt::format("Cannot resolve path parameter (triggerid) from value \"{}\".",
                                   id.substr(0, 64)));
  }
  const auto found = operations_->look(kind, to_lower_ascii(id));
  if (!found) return refuse(404, "Operation not found under key: " + to_lower_ascii(id));
  if (!*found) return {.body = operation_json("")};
  const Operations::Outcome& outcome = **found;
  if (!outcome) return refuse(outcome.error());
  return {.body = operation_json(*outcome)};
}

}  // namespace streamrun
