// How an attempt ends, by a failure, a stop or the end of its input, and how the job does.
#include <streamrun/base/crash_point.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/runtime/job_master.h>

#include <utility>

namespace streamrun {

void JobMaster::fail_attempt(Error error) {
  const bool may_grow_worse = goal_ != Goal::fail && goal_ != Goal::cancel;
  if (phase_ == Phase::draining && error.retry == Retry::no && may_grow_worse) {
    // A graver reason than the one for which the attempt ends already.
    failure_ = std::move(error);
    goal_ = Goal::fail;
    return;
  }
  if (phase_ != Phase::running && phase_ != Phase::recovering) return;
  failure_ = std::move(error);
  end_attempt(Goal::restart);
}

Error JobMaster::attempt_has_ended() const {
  return {.code = ErrorCode::unavailable,
          .message = "the attempt of the job that was to do it has ended",
          .why = failure_ ? failure_->headline() : ""};
}

void JobMaster::end_attempt(Goal goal) {
  goal_ = goal;
  const bool had_tasks = phase_ == Phase::running;
  phase_ = Phase::draining;
  stop_deadline_.reset();
  if (had_tasks) {
    for (const CheckpointId id : coordinator_->pending()) {
      const auto found = pending_.find(id);
      if (found != pending_.end() && found->second.folder) abandoned_[id] = found->second.folder;
    }
    carry_out(coordinator_->shutdown(environment_.clock.now()));
    execution_->stop();
  }
  answer_all(attempt_has_ended());
  if (recovering_ == 0) attempt_drained();
}

/// Called whenever something that the attempt waits for has ended: I/O of its tasks, a recovery
/// step, a publication.
void JobMaster::attempt_drained() {
  if (execution_ == nullptr) return;  // that is done, and it is being swept up
  if (!execution_->io_idle() || recovering_ > 0 || coordinator_->publishing() || !strand_.idle())
    return;
  const JobReport last = [&] {
    JobReport report;
    for (const auto& task : execution_->tasks()) {
      if (task->is_source()) report.records_in += task->metrics().records_in.load();
    }
    return report;
  }();
  result_.records_in = last.records_in;
  for (const auto& op : spec_.graph.operators) {
    if (op.node.type != "Data Sink") continue;
    for (int subtask = 0; subtask < op.node.parallelism; ++subtask) {
      const auto task = static_cast<std::size_t>(execution_->task_of(op.vertex, subtask));
      result_.records_out += execution_->tasks()[task]->metrics().records_out.load();
    }
  }
  // First, since writers of the attempt may be among what waits there.
  remove_shared(shared_files_.attempt_ended());
  execution_.reset();
  enumerators_.clear();
  pending_.clear();
  answer_all(attempt_has_ended());
  const bool wrote_shared = spec_.incremental && directory_ != nullptr;
  if (abandoned_.empty() && !wrote_shared) return after_attempt();
  strand_.run(
      [this, wrote_shared, folders = std::exchange(abandoned_, {})] {
        if (wrote_shared) sweep_shared();
        return sweep(folders);
      },
      [this](bool) { after_attempt(); });
}

/// Removes what lies in the folders of snapshots that the attempt began and did not complete: no
/// task writes there any more. Only names that the engine gives; trouble is a warning.
bool JobMaster::sweep(const std::map<CheckpointId, SnapshotFolder>& folders) {
  for (const auto& [id, folder] : folders) {
    const auto listed = folder.store->list(folder.path);
    if (!listed) continue;  // gone already, or the next start cleans it
    std::vector<std::string> names;
    bool complete = false;
    for (const FileStatus& file : *listed) {
      const std::string name = base_name(file.path);
      complete = complete || name == kMetadataName;
      if (file.kind == FileKind::file && !file.is_link && is_uuid_name(name)) names.push_back(name);
    }
    if (complete) continue;
    if (const Result<void> removed = abort_in(id, folder, names); !removed) {
      environment_.log.warning("could not remove what was written for " + folder.path + ": " +
                               removed.error().headline());
    }
  }
  return true;
}

/// Removes files that writers of the attempt had not given their names yet.
void JobMaster::sweep_shared() const {
  if (const Result<void> removed = directory_->remove_shared_temporaries(); !removed) {
    environment_.log.warning("could not remove temporary files of shared ones: " +
                             removed.error().headline());
  }
}

/// In words, for a person.
std::string JobMaster::restart_point() const {
  if (!newest_) return "the start";
  const CheckpointMetadata& metadata = newest_->metadata;
  const bool is_own = metadata.job_id == spec_.id && metadata.kind == SnapshotKind::checkpoint;
  return is_own || newest_->directory.empty() ? checkpoint_folder_name(metadata.id)
                                              : newest_->directory;
}

/// The attempt is gone: the restart strategy decides, or the job ends.
void JobMaster::after_attempt() {
  if (goal_ != Goal::restart) return close_job();

  const bool may_retry = failure_->retry == Retry::yes;
  const double chance = static_cast<double>(environment_.random.below(1U << 20U)) / (1U << 20U);
  const std::optional<Duration> delay =
      may_retry ? restart_.on_failure(environment_.clock.now(), chance) : std::nullopt;
  if (delay && stop_requested_) return suspend_without_snapshot();
  if (!delay) {
    if (may_retry && failure_->why.empty())
      failure_->why = "Recovery is suppressed by " + restart_.describe();
    goal_ = Goal::fail;
    return close_job();
  }
  phase_ = Phase::waiting;
  ++restarts_;
  listener_.on_restart(restarts_, *delay, *failure_, restart_point());
  restart_at_ = environment_.clock.now() + *delay;
  SR_CRASH("restart.delay");
}

namespace {

/// Flink's table of final states and policies. A suspended job (INT or TERM) is to be resumed, so
/// DELETE_ON_CANCELLATION keeps its checkpoints.
bool keeps_checkpoints(JobStatus end, CheckpointRetention policy) {
  switch (end) {
    case JobStatus::canceled:
      return policy == CheckpointRetention::retain_on_cancellation;
    case JobStatus::failed:
    case JobStatus::suspended:
      return policy != CheckpointRetention::no_externalized_checkpoints;
    default:
      return false;
  }
}

}  // namespace

/// What is left to do on the store before the job ends: which checkpoints stay depends on how it
/// ends.
void JobMaster::close_job() {
  phase_ = Phase::closing;
  result_.status = goal_ == Goal::finish || goal_ == Goal::stop ? JobStatus::finished
                   : goal_ == Goal::suspend                     ? JobStatus::suspended
                   : goal_ == Goal::cancel                      ? JobStatus::canceled
                                                                : JobStatus::failed;
  if (goal_ == Goal::fail) result_.error = failure_;
  const bool keep = keeps_checkpoints(result_.status, spec_.retention);
  if (directory_ == nullptr) return finish_closing({});
  strand_.run(
      [this, keep, marks = goal_ == Goal::finish || !final_savepoint_.empty(),
       savepoint = final_savepoint_, retained = retained_, last = highest_completed_,
       cleans = has_shared_files_ && !shared_files_.has_doubt()]() -> Result<void> {
        if (marks) {
          SR_TRY(
              directory_->mark_finished({.job_id = spec_.id,
                                         .job_name = spec_.name,
                                         .last_checkpoint = keep ? 0 : last,
                                         .last_snapshot = last,
                                         .finished_unix_ms = environment_.clock.unix_milliseconds(),
                                         .savepoint = savepoint}));
        }
        if (!keep) remove_checkpoints(retained);
        if (cleans) clean_shared();
        return {};
      },
      [this, keep](const Result<void>& result) {
        if (!keep) retained_.clear();
        finish_closing(result);
      });
}

/// On an I/O thread.
Result<bool> JobMaster::remove_retained(CheckpointId id) const {
  if (claimed_ != nullptr && claimed_->id() == id) {
    SR_CRASH("rs.claim.first.before");
    Result<bool> removed = claimed_->remove();
    SR_CRASH("rs.claim.first.after");
    return removed;
  }
  return directory_->remove(id);
}

std::string JobMaster::path_of_retained(CheckpointId id) const {
  return claimed_ != nullptr && claimed_->id() == id ? claimed_->folder()
                                                     : directory_->checkpoint_path(id);
}

/// Oldest first: what is left at any moment is never older than the last commit.
void JobMaster::remove_checkpoints(const std::deque<CheckpointId>& ids) const {
  for (const CheckpointId id : ids) {
    const Result<bool> removed = remove_retained(id);
    if (removed && *removed) continue;
    environment_.log.warning(
        "could not remove " + path_of_retained(id) + ": " +
        (removed ? "something that is not ours lies in it" : removed.error().headline()));
  }
}

/// What was to be removed earlier and could not be goes too.
void JobMaster::clean_shared() const {
  const Result<SharedLeftovers> cleaned = directory_->clean_shared();
  if (cleaned && cleaned->kept.empty()) return;
  environment_.log.warning(
      "could not clean " + directory_->shared_path() + ": " +
      (cleaned ? "some files could not be removed" : cleaned.error().headline()));
}

void JobMaster::finish_closing(const Result<void>& result) {
  if (!result) {
    environment_.log.warning("cleaning up: " + result.error().headline());
    if (goal_ == Goal::finish) result_ = {.status = JobStatus::failed, .error = result.error()};
  }
  if (!final_savepoint_.empty()) {
    result_.resume_path = final_savepoint_;
  } else if (goal_ != Goal::finish) {
    if (directory_ != nullptr && !retained_.empty()) {
      result_.resume_path = directory_->checkpoint_path(retained_.back());
    } else if (spec_.restore && !last_completed_) {
      // Only while no snapshot of this run has committed anything beyond it.
      result_.resume_path = spec_.restore->directory;
    }
  }
  end(result_);
}

void JobMaster::end(JobResult result) {
  phase_ = Phase::ended;
  result.ran_for = environment_.clock.now() - started_;
  result.restarts = restarts_;
  claimed_.reset();
  directory_.reset();
  if (goal_ == Goal::stop) {  // answered when all is done
    for (auto& [id, request] : savepoints_) request.answer(result.resume_path);
  }
  answer_all(job_has_ended());
  mailbox_->close();
  listener_.on_end(result);
}

void JobMaster::end_of_data() {
  if (ended_tasks_.size() < execution_->tasks().size()) return;
  if (drain_) {
    savepoint_requests_.push_back(*std::exchange(drain_, std::nullopt));
    return carry_out(coordinator_->request_savepoint(environment_.clock.now(),
                                                     CheckpointReason::stop_savepoint));
  }
  if (goal_ != Goal::none) return;
  goal_ = Goal::finish;
  carry_out(coordinator_->request(environment_.clock.now(), CheckpointReason::final));
}

/// There is no task left that could take the last snapshot.
void JobMaster::suspend_without_snapshot() {
  goal_ = Goal::suspend;
  result_.stopped_cleanly = false;
  result_.error = Error{.code = ErrorCode::stop_unclean,
                        .message =
                            "stopped while the job was to be restarted: no final checkpoint "
                            "was taken",
                        .why = failure_->headline()};
  close_job();
}

void JobMaster::begin_stop() {
  switch (phase_) {
    case Phase::running:
      if (goal_ == Goal::finish) return;  // its last snapshot is on the way already
      if (goal_ == Goal::stop || cancels_with_savepoint_) {  // the same, if that comes in time
        stop_deadline_ = environment_.clock.now() + spec_.shutdown_timeout;
        return;
      }
      goal_ = Goal::suspend;
      stop_deadline_ = environment_.clock.now() + spec_.shutdown_timeout;
      for (auto& task : execution_->tasks()) {
        if (task->is_source()) task->post([each = task.get()] { each->stop_source(); });
      }
      return carry_out(coordinator_->request(environment_.clock.now(), CheckpointReason::stop));
    case Phase::waiting:
      restart_at_.reset();
      return suspend_without_snapshot();
    case Phase::recovering:
      // Seen in `run_tasks`, or when the recovery fails.
    case Phase::opening:
    case Phase::draining:
    case Phase::closing:
    case Phase::ended:
      return;
  }
}

}  // namespace streamrun
