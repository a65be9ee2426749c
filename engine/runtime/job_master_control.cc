// What people ask of a running job.
#include <streamrun/runtime/job_master.h>

#include <utility>

namespace streamrun {
namespace {

Error not_now(std::string message) {
  return {.code = ErrorCode::unavailable, .message = std::move(message)};
}

}  // namespace

/// A question that finds no reader any more answers itself.
template <typename T>
void JobMaster::ask(Answer<T> answer, UniqueFunction<void(Asked<T>)> mail) {
  post([asked = Asked<T>(std::move(answer)), mail = std::move(mail)]() mutable {
    mail(std::move(asked));
  });
}

void JobMaster::ask_overview(Answer<JobOverview> answer) {
  ask<JobOverview>(std::move(answer), [this](Asked<JobOverview> asked) { asked(overview()); });
}

void JobMaster::cancel(Answer<void> answer) {
  ask<void>(std::move(answer), [this](Asked<void> asked) { begin_cancel(std::move(asked)); });
}

void JobMaster::begin_cancel(Asked<void> answer) {
  cancel_requested_ = true;
  switch (phase_) {
    case Phase::opening:  // seen when the folder is open
      return answer({});
    case Phase::waiting:
      restart_at_.reset();
      goal_ = Goal::cancel;
      answer({});
      return close_job();
    case Phase::recovering:
    case Phase::running:
      answer({});
      return end_attempt(Goal::cancel);
    case Phase::draining:
      if (goal_ != Goal::restart && goal_ != Goal::fail && goal_ != Goal::cancel) break;
      goal_ = Goal::cancel;
      return answer({});
    case Phase::closing:
    case Phase::ended:
      break;
  }
  answer(not_now("the job is ending already"));
}

void JobMaster::take_checkpoint(bool full, Answer<CheckpointSummary> answer) {
  ask<CheckpointSummary>(std::move(answer), [this, full](Asked<CheckpointSummary> asked) {
    if (auto why = why_not_now()) return asked(*std::move(why));
    checkpoint_requests_.push_back(std::move(asked));
    full_requested_ = full_requested_ || full;
    carry_out(coordinator_->request(environment_.clock.now(), CheckpointReason::user));
  });
}

void JobMaster::take_savepoint(std::string directory, Answer<std::string> answer) {
  ask_for_savepoint(std::move(directory), Purpose::savepoint, std::move(answer));
}

void JobMaster::stop_with_savepoint(std::string directory, bool drain, Answer<std::string> answer) {
  ask_for_savepoint(std::move(directory), drain ? Purpose::drain : Purpose::stop,
                    std::move(answer));
}

void JobMaster::cancel_with_savepoint(std::string directory, Answer<std::string> answer) {
  ask_for_savepoint(std::move(directory), Purpose::cancel, std::move(answer));
}

void JobMaster::ask_for_savepoint(std::string directory, Purpose purpose,
                                  Answer<std::string> answer) {
  ask<std::string>(std::move(answer),
                   [this, directory = std::move(directory), purpose](Asked<std::string> asked) {
                     if (auto why = why_not_now()) return asked(*std::move(why));
                     Result<SnapshotFolder> root = savepoint_root(directory);
                     if (!root) return asked(std::move(root).error());
                     begin_savepoint({purpose, *std::move(root), std::move(asked)});
                   });
}

/// Snapshots need all tasks running, and none is taken behind the one that a job ends with.
std::optional<Error> JobMaster::why_not_now() const {
  if (phase_ != Phase::running) return not_now("not all tasks of the job are running");
  const bool ending = goal_ != Goal::none || cancels_with_savepoint_ || stop_requested_;
  if (ending || !coordinator_->takes_requests()) return not_now("the job is ending already");
  return std::nullopt;
}

Result<SnapshotFolder> JobMaster::savepoint_root(const std::string& directory) const {
  if (!directory.empty()) {
    const Place where = SR_TRY(file_systems_.place(directory, spec_.working_directory));
    return SnapshotFolder{where.store, where.path};
  }
  if (spec_.savepoint_store != nullptr)
    return SnapshotFolder{spec_.savepoint_store, spec_.savepoint_root};
  return Error{.code = ErrorCode::usage,
               .message =
                   "no folder for the savepoint: none was named, and state.savepoints.dir is "
                   "not set",
               .tries = {"name a folder (savepoint JOB DIR, stop JOB --savepointPath DIR)",
                         "run the job with -D state.savepoints.dir=DIR"},
               .retry = Retry::no};
}

void JobMaster::begin_savepoint(SavepointRequest request) {
  const Instant now = environment_.clock.now();
  const Purpose purpose = request.purpose;
  if (purpose != Purpose::savepoint) {
    carry_out(coordinator_->suspend(now));
    answer_waiting(not_now("the job ends with a savepoint"));
  }
  switch (purpose) {
    case Purpose::savepoint:
    case Purpose::cancel:
      cancels_with_savepoint_ = purpose == Purpose::cancel;
      savepoint_requests_.push_back(std::move(request));
      return carry_out(coordinator_->request_savepoint(now, CheckpointReason::savepoint));
    case Purpose::stop:
      goal_ = Goal::stop;
      savepoint_requests_.push_back(std::move(request));
      return carry_out(coordinator_->request_savepoint(now, CheckpointReason::stop_savepoint));
    case Purpose::drain:
      goal_ = Goal::stop;
      drain_ = std::move(request);
      for (auto& task : execution_->tasks()) {
        if (task->is_source()) task->post([each = task.get()] { each->end_source(); });
      }
      return end_of_data();
  }
}

/// The job goes on, unless it was drained: what its operators emitted at the end can't be taken
/// back, so it returns to its last checkpoint.
void JobMaster::savepoint_failed(SavepointRequest request, const Error& error) {
  const Purpose purpose = request.purpose;
  request.answer(error);
  if (purpose == Purpose::savepoint || phase_ != Phase::running) return;
  if (purpose == Purpose::drain) return fail_attempt(error);
  goal_ = Goal::none;
  cancels_with_savepoint_ = false;
  carry_out(coordinator_->resume(environment_.clock.now()));
  if (stop_requested_) return begin_stop();
  end_of_data();
}

void JobMaster::answer_waiting(const Error& error) {
  for (SavepointRequest& request : std::exchange(savepoint_requests_, {})) request.answer(error);
  for (Asked<CheckpointSummary>& asked : std::exchange(checkpoint_requests_, {})) asked(error);
  full_requested_ = false;
  if (auto request = std::exchange(drain_, std::nullopt)) request->answer(error);
}

/// Nobody is left without an answer when the attempt ends, but for those whose snapshot is being
/// written, or who wait for the end of the job.
void JobMaster::answer_all(const Error& error) {
  answer_waiting(error);
  for (auto it = checkpoint_answers_.begin(); it != checkpoint_answers_.end();) {
    if (pending_.contains(it->first)) {
      ++it;
      continue;
    }
    for (Asked<CheckpointSummary>& asked : it->second) asked(error);
    it = checkpoint_answers_.erase(it);
  }
  Error told = error;
  if (!final_savepoint_.empty())
    told.message += "; the savepoint " + final_savepoint_ + " is complete";
  for (auto it = savepoints_.begin(); it != savepoints_.end();) {
    const bool waits_for_end = goal_ == Goal::stop && phase_ != Phase::ended;
    if (waits_for_end || pending_.contains(it->first)) {
      ++it;
      continue;
    }
    it->second.answer(told);
    it = savepoints_.erase(it);
  }
}

}  // namespace streamrun
