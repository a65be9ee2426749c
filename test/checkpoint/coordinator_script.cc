#include "coordinator_script.h"

#include <streamrun/base/strings.h>

#include <stdexcept>
#include <utility>

namespace streamrun::test {
namespace {

Error error_named(const std::string& name) {
  const std::pair<std::string, ErrorCode> codes[] = {{"io", ErrorCode::store_io},
                                                     {"full", ErrorCode::store_full},
                                                     {"fsync", ErrorCode::store_fsync},
                                                     {"fatal", ErrorCode::store_fatal},
                                                     {"readonly", ErrorCode::store_read_only},
                                                     {"gone", ErrorCode::path},
                                                     {"closed", ErrorCode::permission}};
  for (const auto& [text, code] : codes) {
    if (text == name) return {.code = code, .message = "the " + name + " error"};
  }
  throw std::runtime_error("no such error: " + name);
}

struct Words {
  std::string operator()(const TriggerCheckpoint& a) { return "trigger " + std::to_string(a.id); }
  std::string operator()(const PublishCheckpoint& a) { return "publish " + std::to_string(a.id); }
  std::string operator()(const NotifyComplete& a) { return "complete " + std::to_string(a.id); }
  std::string operator()(const SavepointDone& a) { return "saved " + std::to_string(a.id); }
  std::string operator()(const AbortCheckpoint& a) {
    return (a.counted ? "abort " : "drop ") + std::to_string(a.id);
  }
  std::string operator()(const DiscardAcknowledgement& a) {
    return "discard " + std::to_string(a.id) + "/" + std::to_string(a.task);
  }
  std::string operator()(const FailJob&) { return "FAIL"; }
};

}  // namespace

Instant at_second(double second) {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second)));
}

CheckpointActions CoordinatorScript::apply(Instant now, const std::vector<std::string>& words) {
  const std::string& verb = words[0];
  const auto id = [&] { return static_cast<CheckpointId>(std::stoll(words.at(1))); };
  const auto task = [&](std::size_t at) { return std::stoi(words.at(at)); };
  if (verb == "start") {
    const double fraction = words.size() > 1 ? std::stod(words[1]) : 0.0;
    return coordinator_.start(now, {"left", "right"}, fraction);
  }
  if (verb == "time") return coordinator_.on_time(now);
  if (verb == "user") return coordinator_.request(now, CheckpointReason::user);
  if (verb == "final") return coordinator_.request(now, CheckpointReason::final);
  if (verb == "stop") return coordinator_.request(now, CheckpointReason::stop);
  if (verb == "savepoint") return coordinator_.request_savepoint(now, CheckpointReason::savepoint);
  if (verb == "last-savepoint")
    return coordinator_.request_savepoint(now, CheckpointReason::stop_savepoint);
  if (verb == "suspend") return coordinator_.suspend(now);
  if (verb == "resume") return coordinator_.resume(now);
  if (verb == "ack") return coordinator_.acknowledged(now, id(), task(2));
  if (verb == "all") {
    CheckpointActions actions = coordinator_.acknowledged(now, id(), 0);
    for (CheckpointAction& action : coordinator_.acknowledged(now, id(), 1)) {
      actions.push_back(std::move(action));
    }
    return actions;
  }
  if (verb == "declined") {
    return coordinator_.declined(now, id(), task(2), error_named(words.at(3)), true);
  }
  if (verb == "refused") {
    return coordinator_.declined(now, id(), task(2), error_named(words.at(3)), false);
  }
  if (verb == "published") return coordinator_.published(now, id());
  if (verb == "failed") return coordinator_.publish_failed(now, id(), error_named(words.at(2)));
  if (verb == "finished") return coordinator_.task_finished(now, task(1));
  if (verb == "taken") return coordinator_.name_taken(now, id());
  if (verb == "down") return coordinator_.shutdown(now);
  throw std::runtime_error("no such event: " + verb);
}

std::string CoordinatorScript::play(int second, const std::string& event) {
  last_ = apply(at_second(second), split(event, ' '));
  std::vector<std::string> texts;
  for (const CheckpointAction& action : last_) texts.push_back(std::visit(Words(), action));
  return texts.empty() ? "-" : join(texts, " ");
}

double CoordinatorScript::next_second() const {
  const auto deadline = coordinator_.next_deadline();
  if (!deadline) return -1;
  return std::chrono::duration<double>(deadline->time_since_epoch()).count();
}

}  // namespace streamrun::test
