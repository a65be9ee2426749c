#include <streamrun/base/assert.h>
#include <streamrun/checkpoint/checkpoint_coordinator.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::size_t kRememberedAborts = 1024;
constexpr std::size_t kNamedTasks = 8;
constexpr int kTolerableFsyncFailures = 1;

CheckpointOptions checked(CheckpointOptions options) {
  SR_ASSERT(options.timeout > Duration(0), "a checkpoint needs time");
  SR_ASSERT(options.min_pause >= Duration(0), "a pause is not negative");
  SR_ASSERT(options.max_concurrent >= 1, "at least one checkpoint may be pending");
  SR_ASSERT(options.tolerable_failures >= 0, "a number of failures is not negative");
  SR_ASSERT(options.first_id >= 1, "checkpoint ids start at 1");
  if (options.interval) options.interval = std::max(*options.interval, options.min_pause);
  return options;
}

/// Time-outs and pauses may be "for ever".
Instant later(Instant from, Duration by) {
  return by > Instant::max() - std::max(from, Instant()) ? Instant::max() : from + by;
}

std::string seconds_of(Duration duration) {
  return fmt::format("{:g} s", std::chrono::duration<double>(duration).count());
}

/// The store of checkpoints is gone or closed: another try can't help, and an absent root is not an
/// empty one.
bool store_is_lost(ErrorCode code) {
  return code == ErrorCode::store_read_only || code == ErrorCode::permission ||
         code == ErrorCode::path || code == ErrorCode::store_fatal;
}

/// For messages.
std::string name_of(CheckpointId id, CheckpointReason reason) {
  return is_savepoint(reason) ? fmt::format("savepoint {}", id) : checkpoint_folder_name(id);
}

Error note(ErrorCode code, std::string message) {
  return {.code = code, .message = std::move(message)};
}

}  // namespace

CheckpointCoordinator::CheckpointCoordinator(CheckpointOptions options)
    : options_(checked(options)), next_id_(options_.first_id) {}

CheckpointActions CheckpointCoordinator::start(Instant now, std::vector<std::string> task_names,
                                               double fraction) {
  SR_ASSERT(!running_, "start is called once for each attempt");
  SR_ASSERT(fraction >= 0 && fraction <= 1, "the first delay is a fraction");
  running_ = true;
  ended_ = false;
  suspended_ = false;
  requested_.reset();
  savepoints_.clear();
  task_names_ = std::move(task_names);
  active_tasks_.clear();
  for (int task = 0; task < static_cast<int>(task_names_.size()); ++task)
    active_tasks_.insert(task);
  next_periodic_.reset();
  if (options_.interval) {
    const Duration room = *options_.interval - options_.min_pause;
    const double part = std::floor(static_cast<double>(room.count()) * fraction);
    next_periodic_ =
        later(later(now, options_.min_pause), Duration(static_cast<Duration::rep>(part)));
  }
  CheckpointActions actions;
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::on_time(Instant now, const PhaseOf& phase_of) {
  CheckpointActions actions;
  expire(now, phase_of, actions);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::request(Instant now, CheckpointReason reason) {
  SR_ASSERT(!is_savepoint(reason), "savepoints are asked for by `request_savepoint`");
  CheckpointActions actions;
  if (!takes_requests()) return actions;
  requested_ = std::max(reason, requested_.value_or(reason));
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::request_savepoint(Instant now, CheckpointReason reason) {
  SR_ASSERT(is_savepoint(reason), "checkpoints are asked for by `request`");
  CheckpointActions actions;
  if (!takes_requests()) return actions;
  savepoints_.push_back(reason);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::acknowledged(Instant now, CheckpointId id, int task) {
  CheckpointActions actions;
  const auto found = pending_.find(id);
  if (found == pending_.end()) {
    if (may_be_discarded(id)) actions.emplace_back(DiscardAcknowledgement{id, task});
    return actions;
  }
  found->second.waiting_for.erase(task);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::declined(Instant now, CheckpointId id, int task,
                                                  Error error, bool counted) {
  CheckpointActions actions;
  const auto found = pending_.find(id);
  // Being published means that every task has acknowledged: a decline behind that is a late double.
  if (found == pending_.end() || found->second.publishing) return actions;
  if (task >= 0 && task < static_cast<int>(task_names_.size()) && error.where.empty()) {
    error.where = task_names_[static_cast<std::size_t>(task)];
  }
  const CheckpointReason reason = found->second.reason;
  const bool blames_task = task != kNoTask;
  if (reason == CheckpointReason::stop_savepoint && blames_task) {
    abort(id, error, false, actions);
    fail_job(std::move(error), actions);
    return actions;
  }
  abort(id, error, counted && (blames_task || !is_savepoint(reason)), actions);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::name_taken(Instant now, CheckpointId id) {
  CheckpointActions actions;
  const auto found = pending_.find(id);
  if (found == pending_.end()) return actions;
  const CheckpointReason reason = found->second.reason;
  pending_.erase(found);
  trigger(now, reason, actions);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::published(Instant now, CheckpointId id) {
  CheckpointActions actions;
  const auto found = pending_.find(id);
  SR_ASSERT(found != pending_.end() && found->second.publishing,
            "only what was to be published is");
  const CheckpointReason reason = found->second.reason;
  pending_.erase(found);
  failures_ = 0;
  last_success_ = now;
  if (reason == CheckpointReason::savepoint) {
    actions.emplace_back(SavepointDone{id});
    settle(now, actions);
    return actions;
  }
  fsync_failures_ = 0;
  if (reason >= CheckpointReason::final) ended_ = true;
  actions.emplace_back(NotifyComplete{id});
  abort_older_than(id, actions);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::publish_failed(Instant now, CheckpointId id, Error error) {
  CheckpointActions actions;
  const auto found = pending_.find(id);
  SR_ASSERT(found != pending_.end() && found->second.publishing,
            "only what was to be published is");
  const bool savepoint = is_savepoint(found->second.reason);
  // In doubt, or the folder is another run's by now: what comes next would not be ours either.
  const bool is_final = error.code == ErrorCode::store_fatal || error.code == ErrorCode::lock;
  if (is_final && !savepoint) {
    pending_.erase(found);
    fail_job(std::move(error), actions);
    return actions;
  }
  abort(id, error, !savepoint, actions);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::task_finished(Instant now, int task) {
  CheckpointActions actions;
  active_tasks_.erase(task);
  for (auto& [id, pending] : pending_) pending.waiting_for.erase(task);
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::suspend(Instant) {
  CheckpointActions actions;
  suspended_ = true;
  requested_.reset();
  savepoints_.clear();
  abort_pending("the job ends with a savepoint", actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::resume(Instant now) {
  CheckpointActions actions;
  suspended_ = false;
  settle(now, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::shutdown(Instant) {
  CheckpointActions actions;
  running_ = false;
  requested_.reset();
  savepoints_.clear();
  next_periodic_.reset();
  abort_pending("the job's attempt ends", actions);
  return actions;
}

std::optional<Instant> CheckpointCoordinator::next_deadline() const {
  std::optional<Instant> nearest;
  const auto take = [&](Instant at) { nearest = std::min(at, nearest.value_or(at)); };
  for (const auto& [id, pending] : pending_) {
    if (!pending.publishing) take(pending.deadline);
  }
  const bool waits = running_ && !suspended_ && savepoints_.empty() && !active_tasks_.empty() &&
                     next_periodic_ && has_slot();
  if (waits && !is_ending()) take(*next_periodic_);
  return nearest;
}

std::optional<CheckpointId> CheckpointCoordinator::publishing() const {
  for (const auto& [id, pending] : pending_) {
    if (pending.publishing) return id;
  }
  return std::nullopt;
}

std::vector<CheckpointId> CheckpointCoordinator::pending() const {
  std::vector<CheckpointId> ids;
  for (const auto& [id, pending] : pending_) ids.push_back(id);
  return ids;
}

bool CheckpointCoordinator::has_slot() const {
  return pending_.size() < static_cast<std::size_t>(options_.max_concurrent);
}

/// Nothing periodic is to start behind a stopping checkpoint: its barrier is the last thing that
/// sources emit.
bool CheckpointCoordinator::is_ending() const {
  return ended_ || std::any_of(pending_.begin(), pending_.end(),
                               [](const auto& entry) { return ends_job(entry.second.reason); });
}

Instant CheckpointCoordinator::earliest_periodic() const {
  return last_success_ ? later(*last_success_, options_.min_pause) : Instant::min();
}

void CheckpointCoordinator::settle(Instant now, CheckpointActions& actions) {
  publish_next(actions);
  trigger_what_is_due(now, actions);
}

void CheckpointCoordinator::trigger_what_is_due(Instant now, CheckpointActions& actions) {
  if (!running_ || active_tasks_.empty() || is_ending()) return;
  while (!savepoints_.empty() && (options_.savepoints_overlap || pending_.empty())) {
    const CheckpointReason reason = savepoints_.front();
    savepoints_.pop_front();
    trigger(now, reason, actions);
    if (is_ending()) return;
  }
  if (suspended_ || !savepoints_.empty()) return;  // nothing may start before those that wait
  if (requested_ && has_slot()) {
    trigger(now, *std::exchange(requested_, std::nullopt), actions);
    if (is_ending()) return;
  }
  if (!next_periodic_ || *next_periodic_ > now || !has_slot()) return;
  if (earliest_periodic() > now) {
    // The beat begins anew behind the pause.
    next_periodic_ = earliest_periodic();
    return;
  }
  trigger(now, CheckpointReason::periodic, actions);
  advance_schedule(now);
}

void CheckpointCoordinator::trigger(Instant now, CheckpointReason reason,
                                    CheckpointActions& actions) {
  const CheckpointId id = next_id_++;
  pending_.emplace(id, Pending{.reason = reason,
                               .deadline = later(now, options_.timeout),
                               .waiting_for = active_tasks_});
  actions.emplace_back(TriggerCheckpoint{id, reason});
}

/// Fixed rate: the beat is kept, and beats that were missed are not made up for.
void CheckpointCoordinator::advance_schedule(Instant now) {
  const Duration beat = std::max(*options_.interval, Duration(1));
  *next_periodic_ = later(*next_periodic_ + beat * ((now - *next_periodic_) / beat), beat);
}

void CheckpointCoordinator::publish_next(CheckpointActions& actions) {
  if (publishing()) return;
  for (auto& [id, pending] : pending_) {
    if (!pending.waiting_for.empty()) continue;
    pending.publishing = true;
    actions.emplace_back(PublishCheckpoint{id});
    return;
  }
}

void CheckpointCoordinator::expire(Instant now, const PhaseOf& phase_of,
                                   CheckpointActions& actions) {
  for (const CheckpointId id : pending()) {
    const Pending& one = pending_.at(id);
    if (one.publishing || one.deadline > now) continue;
    abort(id, expired_error(id, one, phase_of), !is_savepoint(one.reason), actions);
  }
}

/// The first one is the slowest: those behind it may only wait for its barrier.
std::string CheckpointCoordinator::who_is_late(CheckpointId id, const Pending& pending,
                                               const PhaseOf& phase_of) const {
  if (pending.waiting_for.empty()) return "it waited for an earlier one to be published";
  const int slowest = *pending.waiting_for.begin();
  std::string text = "the slowest is " + task_names_[static_cast<std::size_t>(slowest)];
  if (phase_of) text += ", " + phase_of(id, slowest);
  std::size_t named = 0;
  for (const int task : pending.waiting_for) {
    if (task == slowest) continue;
    if (named == kNamedTasks) {
      return text + fmt::format(" and {} more", pending.waiting_for.size() - 1 - named);
    }
    text += named++ == 0 ? "; not acknowledged either by " : ", ";
    text += task_names_[static_cast<std::size_t>(task)];
  }
  return text;
}

Error CheckpointCoordinator::expired_error(CheckpointId id, const Pending& pending,
                                           const PhaseOf& phase_of) const {
  Error error = note(ErrorCode::job_failed,
                     fmt::format("{} was not complete within {}", name_of(id, pending.reason),
                                 seconds_of(options_.timeout)));
  error.why = who_is_late(id, pending, phase_of);
  error.tries = {"raise execution.checkpointing.timeout, or look for back pressure"};
  return error;
}

void CheckpointCoordinator::abort(CheckpointId id, const Error& error, bool counted,
                                  CheckpointActions& actions) {
  const auto found = pending_.find(id);
  const bool savepoint = is_savepoint(found->second.reason);
  pending_.erase(found);
  aborted_.push_back(id);
  if (aborted_.size() > kRememberedAborts) aborted_.pop_front();
  actions.emplace_back(AbortCheckpoint{id, error, counted});
  if (counted) count_failure(id, error, savepoint, actions);
}

void CheckpointCoordinator::abort_pending(const std::string& why, CheckpointActions& actions) {
  for (const CheckpointId id : pending()) {
    const Pending& one = pending_.at(id);
    if (one.publishing) continue;
    abort(id,
          note(ErrorCode::cancelled,
               fmt::format("{} was given up: {}", name_of(id, one.reason), why)),
          false, actions);
  }
}

/// The newer one holds all that the older ones would have; a stopping one is never older than a
/// periodic one. A savepoint is wanted for itself.
void CheckpointCoordinator::abort_older_than(CheckpointId id, CheckpointActions& actions) {
  for (const CheckpointId other : pending()) {
    if (other > id) break;
    if (is_savepoint(pending_.at(other).reason)) continue;
    abort(other,
          note(ErrorCode::cancelled,
               fmt::format("{} was overtaken by {}", checkpoint_folder_name(other),
                           checkpoint_folder_name(id))),
          false, actions);
  }
}

/// A savepoint may go to another store than checkpoints, and says nothing about theirs.
void CheckpointCoordinator::count_failure(CheckpointId id, const Error& error, bool savepoint,
                                          CheckpointActions& actions) {
  if (!running_) return;
  ++failures_;
  if (!savepoint) {
    fsync_failures_ = error.code == ErrorCode::store_fsync ? fsync_failures_ + 1 : 0;
  }
  std::string reason;
  if (!savepoint && store_is_lost(error.code)) {
    reason = "checkpoints can no longer be stored";
  } else if (fsync_failures_ > kTolerableFsyncFailures) {
    reason = fmt::format("{} checkpoints in a row were not confirmed by the disk", fsync_failures_);
  } else if (failures_ > options_.tolerable_failures) {
    reason = fmt::format("{} checkpoints in a row failed, {} are tolerable", failures_,
                         options_.tolerable_failures);
  } else {
    return;
  }
  Error failure = error;
  failure.message =
      fmt::format("{}; the latest, {}: {}", reason, checkpoint_folder_name(id), error.message);
  fail_job(std::move(failure), actions);
}

void CheckpointCoordinator::fail_job(Error error, CheckpointActions& actions) {
  running_ = false;
  failures_ = 0;
  fsync_failures_ = 0;
  requested_.reset();
  savepoints_.clear();
  next_periodic_.reset();
  actions.emplace_back(FailJob{std::move(error)});
}

/// Only what can't belong to a completed checkpoint: one that was aborted, or that never was.
bool CheckpointCoordinator::may_be_discarded(CheckpointId id) const {
  return id >= next_id_ || std::find(aborted_.begin(), aborted_.end(), id) != aborted_.end();
}

}  // namespace streamrun
