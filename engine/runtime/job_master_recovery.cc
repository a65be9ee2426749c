// From the opening of the job's folder to running tasks, for the first attempt and each one after
// a failure.
#include <streamrun/checkpoint/absent_snapshots.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <utility>

namespace streamrun {

namespace {

/// Who needs what in `shared`. While that can't be known all of it stays, as of something that this
/// run never removes (R2).
Result<std::map<CheckpointId, std::set<std::string>>> shared_files_of(
    CheckpointDirectory& directory) {
  auto by_checkpoint = directory.shared_names();
  if (by_checkpoint) return by_checkpoint;
  std::map<CheckpointId, std::set<std::string>> of_nobody_known;
  of_nobody_known[0] = SR_TRY(directory.shared_names_present());
  return of_nobody_known;
}

}  // namespace

void JobMaster::open_directory() {
  const CheckpointId restored = spec_.restore ? spec_.restore->metadata.id : 0;
  strand_.run([this] { return open_checkpoints(); },
              [this, restored](Result<Opened> opened) {
                if (!opened) {
                  failure_ = std::move(opened).error();
                  return end({.status = JobStatus::failed, .error = failure_});
                }
                directory_ = std::move(opened->directory);
                if (directory_ != nullptr)
                  context_.task_owned_folder = directory_->task_owned_path();
                claimed_ = std::move(opened->claimed);
                earlier_.assign(opened->earlier.begin(), opened->earlier.end());
                shared_files_.found(opened->shared);
                has_shared_files_ =
                    opened->has_shared || (spec_.incremental && directory_ != nullptr);
                spec_.checkpoints.first_id = 1 + std::max(restored, opened->highest);
                coordinator_ = std::make_unique<CheckpointCoordinator>(spec_.checkpoints);
                if (spec_.status_period)
                  next_status_ = environment_.clock.now() + *spec_.status_period;
                if (stop_requested_ || cancel_requested_) {
                  result_.status = cancel_requested_ ? JobStatus::canceled : JobStatus::suspended;
                  if (spec_.restore) result_.resume_path = spec_.restore->directory;
                  return end(result_);
                }
                deploy();
              });
}

/// On an I/O thread.
Result<JobMaster::Opened> JobMaster::open_checkpoints() const {
  Opened opened;
  if (spec_.checkpoint_store == nullptr) return opened;
  opened.directory = SR_TRY(CheckpointDirectory::open(
      *spec_.checkpoint_store, spec_.checkpoint_root,
      {.job = {.job_id = spec_.id,
               .family_id = spec_.family_id,
               .job_name = spec_.name,
               .started_unix_ms = environment_.clock.unix_milliseconds()},
       .attempt = environment_.random.uuid(),
       .lock_note = spec_.lock_note,
       .resumes_itself = spec_.restore && spec_.restore->metadata.job_id == spec_.id}));
  const CheckpointDirectory::Leftovers leftovers = SR_TRY(opened.directory->clean_leftovers());
  for (const std::string& name : leftovers.removed)
    environment_.log.info("removed the leftover " + name);
  opened.has_shared = leftovers.has_shared;
  if (opened.has_shared) opened.shared = SR_TRY(shared_files_of(*opened.directory));
  opened.highest = SR_TRY(opened.directory->highest_id_present());
  // Before a folder of the family is locked, which would look as if its run were alive.
  finish_removals_of_family();
  if (spec_.restore) {
    // What may come back would count as newer than what this run writes.
    SR_TRY(make_newer_absence_durable(*spec_.checkpoint_store, spec_.checkpoint_root,
                                      spec_.family_id, spec_.restore->metadata.id));
    SR_TRY(find_earlier(opened));
  }
  return opened;
}

/// On an I/O thread.
Result<void> JobMaster::find_earlier(Opened& opened) const {
  const CheckpointId from = spec_.restore->metadata.id;
  if (parent_path(spec_.restore->directory) == opened.directory->path()) {
    opened.earlier = SR_TRY(opened.directory->complete_ids());
    // This run goes on from the newest: all are its own once it has gone beyond. From an older one:
    // somebody chose that, and that one, unless it is claimed, and what came later are left alone
    // (R5).
    const CheckpointId last = spec_.claims_restored ? from : from - 1;
    if (!opened.earlier.empty() && *opened.earlier.rbegin() > from)
      std::erase_if(opened.earlier, [last](CheckpointId id) { return id > last; });
  } else if (spec_.claims_restored) {
    opened.claimed = SR_TRY(ClaimedSnapshot::open(file_systems_, *spec_.restore, spec_.lock_note));
    opened.earlier = {from};
  }
  return {};
}

/// On an I/O thread.
void JobMaster::finish_removals_of_family() const {
  if (!spec_.restore) return;  // the first of its family
  const SparedRuns spared{.own = spec_.id, .restored_from = spec_.restore->metadata.job_id};
  for (const std::string& path : finish_removals(*spec_.checkpoint_store, spec_.checkpoint_root,
                                                 spec_.family_id, spared, spec_.lock_note)) {
    environment_.log.info("removed " + path + ", left by a run that finished");
  }
}

Result<RestorePlan> JobMaster::plan_current_restore() {
  if (!newest_) return RestorePlan{};
  return plan_restore(spec_.graph, *newest_, spec_.registered_name, spec_.allow_non_restored,
                      spec_.drop_state);
}

void JobMaster::deploy() {
  phase_ = Phase::recovering;
  goal_ = Goal::none;
  failure_.reset();
  ask_again_at_.reset();
  cancels_with_savepoint_ = false;
  final_savepoint_.clear();
  Result<RestorePlan> plan = plan_current_restore();
  if (!plan) {
    failure_ = std::move(plan).error();
    goal_ = Goal::fail;
    return close_job();
  }
  plan_ = *std::move(plan);
  verify_restore();
}

/// Every file of the snapshot is looked at before any operator starts.
void JobMaster::verify_restore() {
  if (!newest_ || newest_->directory.empty()) return make_attempt();
  strand_.run(
      // Nothing changes what a restart goes back to until an attempt runs.
      [this, &snapshot = *newest_]() -> Result<void> {
        return verify_files(file_systems_, snapshot.directory, snapshot.metadata, false);
      },
      [this](Result<void> verified) { verified_restore(std::move(verified)); });
}

void JobMaster::verified_restore(Result<void> result) {
  if (phase_ == Phase::draining) return after_attempt();  // cancelled meanwhile
  if (result) return make_attempt();
  failure_ = std::move(result).error();
  if (attempt_ == 0) failure_->retry = Retry::no;  // what the run was asked to start from
  goal_ = Goal::restart;
  after_attempt();
}

void JobMaster::make_attempt() {
  ++attempt_;
  base_ = 0;
  ended_tasks_.clear();
  const int attempt = attempt_;
  execution_ = std::make_unique<Execution>(
      spec_.graph, context_, environment_.random.uuid(), reports_of_attempt(),
      [this, attempt](int op, int subtask) {
        post_from_attempt(attempt, [this, op, subtask] {
          if (phase_ == Phase::running) enumerators_.at(op)->handle_request(subtask);
        });
      },
      [this, mailbox = mailbox_] {
        mailbox->post([this] {
          if (phase_ == Phase::draining) attempt_drained();
        });
      });
  recover_step(Execution::RecoveryStep::open);
}

void JobMaster::recover_step(Execution::RecoveryStep step) {
  recovering_ = execution_->tasks().size();
  recovery_error_.reset();
  execution_->recover(step, plan_, [this, step, mailbox = mailbox_](Result<void> result) {
    mailbox->post([this, step, result = std::move(result)] {
      if (!result && !recovery_error_) recovery_error_ = result.error();
      if (--recovering_ > 0) return;
      if (phase_ == Phase::draining) return attempt_drained();
      if (recovery_error_) {
        if (step == Execution::RecoveryStep::open) take_for_damage(*recovery_error_);
        // Input or output that is not there, or not ours, when the run starts will not come by
        // waiting.
        const ErrorCode code = recovery_error_->code;
        const bool of_the_start = attempt_ == 1 && step == Execution::RecoveryStep::open;
        if (of_the_start && (code == ErrorCode::path || code == ErrorCode::permission ||
                             code == ErrorCode::store_read_only)) {
          recovery_error_->retry = Retry::no;
        }
        return fail_attempt(*recovery_error_);
      }
      recovered(step);
    });
  });
}

/// The snapshot that the run was asked to start from has a file that can't be read: that is damage.
/// In a restart it may have been a moment's trouble, and is tried again.
void JobMaster::take_for_damage(Error& error) const {
  if (attempt_ > 1 || !newest_ || error.code != ErrorCode::store_io) return;
  for (const StateFile* file : files_of(newest_->metadata)) {
    if (state_file_path(newest_->directory, *file) != error.where) continue;
    error = {.code = ErrorCode::state_corrupt,
             .message = "a state file can't be read",
             .where = error.where,
             .why = error.message + (error.why.empty() ? "" : ": " + error.why),
             .retry = Retry::no};
    return;
  }
}

void JobMaster::recovered(Execution::RecoveryStep step) {
  switch (step) {
    case Execution::RecoveryStep::open: {
      if (!newest_ || newest_->directory.empty())
        return recover_step(Execution::RecoveryStep::commit_recovered);
      // The name of the snapshot may have been seen in a page cache only; commits make it count.
      return strand_.run(
          [this, directory = newest_->directory]() -> Result<void> {
            Result<void> durable =
                make_durable(file_systems_, directory, environment_.random.uuid());
            const bool read_only = !durable && (durable.error().code == ErrorCode::permission ||
                                                durable.error().code == ErrorCode::store_read_only);
            if (read_only) {
              environment_.log.debug(
                  "the restored snapshot can't be written to; its name is taken as durable");
            }
            return read_only ? Result<void>() : durable;
          },
          [this](const Result<void>& durable) {
            if (phase_ == Phase::draining) return attempt_drained();
            if (phase_ != Phase::recovering) return;
            if (!durable) return fail_attempt(durable.error());
            recover_step(Execution::RecoveryStep::commit_recovered);
          });
    }
    case Execution::RecoveryStep::commit_recovered:
      return recover_step(Execution::RecoveryStep::remove_leftovers);
    case Execution::RecoveryStep::remove_leftovers:
      return run_tasks();
  }
}

void JobMaster::start_enumerators() {
  enumerators_.clear();
  const int attempt = attempt_;
  for (std::size_t i = 0; i < spec_.graph.operators.size(); ++i) {
    const JobOperator& op = spec_.graph.operators[i];
    if (!op.node.make_enumerator) continue;
    const int id = static_cast<int>(i);
    std::string restored;
    std::vector<std::string> unread;
    if (!plan_.operators.empty()) {
      restored = plan_.operators[i].coordinator_state;
      for (const OperatorSubtaskState& subtask : plan_.operators[i].subtasks) {
        for (const OperatorListState& list : subtask.lists) {
          if (list.name == kSplitsState)
            unread.insert(unread.end(), list.elements.begin(), list.elements.end());
        }
      }
    }
    const auto task_of = [this, id](int subtask) -> StreamTask& {
      const int vertex = spec_.graph.operators[static_cast<std::size_t>(id)].vertex;
      return *execution_->tasks()[static_cast<std::size_t>(execution_->task_of(vertex, subtask))];
    };
    SplitEnumerator& enumerator = *(enumerators_[id] = op.node.make_enumerator());
    enumerator.start(
        {.environment = execution_->environment(),
         .file_systems = file_systems_,
         .working_directory = spec_.working_directory,
         .parallelism = op.node.parallelism,
         .post = [this, attempt](
                     UniqueFunction<void()> mail) { post_from_attempt(attempt, std::move(mail)); },
         .assign =
             [task_of](int subtask, std::string split) {
               StreamTask& task = task_of(subtask);
               task.post([&task, split = std::move(split)] { task.add_split(split); });
             },
         .no_more_splits =
             [task_of](int subtask) {
               StreamTask& task = task_of(subtask);
               task.post([&task] { task.no_more_splits(); });
             },
         .fail =
             [this, attempt](Error error) {
               post_from_attempt(attempt,
                                 [this, error = std::move(error)] { fail_attempt(error); });
             }},
        restored, std::move(unread));
  }
}

void JobMaster::run_tasks() {
  if (stop_requested_) {
    phase_ = Phase::running;
    return end_attempt(Goal::suspend);
  }
  phase_ = Phase::running;
  running_since_ = environment_.clock.now();
  start_enumerators();
  execution_->start();
  std::vector<std::string> names;
  for (const auto& task : execution_->tasks()) names.push_back(task->name());
  const double fraction = static_cast<double>(environment_.random.below(1U << 20U)) / (1U << 20U);
  announced_running_ = false;
  announce_running();
  carry_out(coordinator_->start(running_since_, std::move(names), fraction));
}

/// Running are all tasks of an attempt together with enumerators that know their input: who waits
/// for that word hears of input that is not there first.
void JobMaster::announce_running() {
  if (announced_running_) return;
  for (const auto& [op, enumerator] : enumerators_) {
    if (!enumerator->has_found_input()) return;
  }
  announced_running_ = true;
  listener_.on_running();
}

TaskReports JobMaster::reports_of_attempt() {
  const int attempt = attempt_;
  return {
      .acknowledged =
          [this, attempt](int task, CheckpointId id, std::vector<OperatorSubtaskState> states,
                          SnapshotTimings timings) {
            post_from_attempt(attempt,
                              [this, task, id, timings, states = std::move(states)]() mutable {
                                acknowledged(task, id, std::move(states), timings);
                              });
          },
      .declined =
          [this, attempt](int task, CheckpointId id, Error error) {
            post_from_attempt(attempt, [this, task, id, error = std::move(error)] {
              carry_out(coordinator_->declined(environment_.clock.now(), id, task, error, true));
            });
          },
      .failed =
          [this, attempt](int, Error error) {
            post_from_attempt(attempt, [this, error = std::move(error)] { fail_attempt(error); });
          },
      .end_of_data =
          [this, attempt](int task) {
            post_from_attempt(attempt, [this, task] {
              ended_tasks_.insert(task);
              end_of_data();
            });
          },
      .effects_done =
          [this, attempt](int, CheckpointId id) {
            post_from_attempt(attempt, [this, id] { effects_done(id); });
          },
      .claimed =
          [this, attempt](int task, CheckpointId id, std::string name,
                          UniqueFunction<void()> granted) {
            post_from_attempt(attempt, [this, task, id, name = std::move(name),
                                        granted = std::move(granted)]() mutable {
              shared_files_.claim(id, task, name, std::move(granted));
            });
          }};
}

template <typename F>
void JobMaster::post_from_attempt(int attempt, F&& mail) {
  mailbox_->post([this, attempt, mail = std::forward<F>(mail)]() mutable {
    if (attempt == attempt_ && phase_ == Phase::running) mail();
  });
}

}  // namespace streamrun
