#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/runtime/family.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <utility>

namespace streamrun {

const char* to_string(JobStatus status) {
  switch (status) {
    case JobStatus::created:
      return "CREATED";
    case JobStatus::initializing:
      return "INITIALIZING";
    case JobStatus::running:
      return "RUNNING";
    case JobStatus::restarting:
      return "RESTARTING";
    case JobStatus::failing:
      return "FAILING";
    case JobStatus::finished:
      return "FINISHED";
    case JobStatus::suspended:
      return "SUSPENDED";
    case JobStatus::failed:
      return "FAILED";
  }
  return "?";
}

JobMaster::JobMaster(Environment& environment, FileSystems& file_systems, JobSpec spec,
                     JobListener& listener)
    : environment_(environment),
      file_systems_(file_systems),
      spec_(std::move(spec)),
      listener_(listener),
      context_{.environment = environment,
               .file_systems = file_systems,
               .working_directory = spec_.working_directory,
               .job_id = spec_.id,
               .family_id = spec_.family_id,
               .job_name = spec_.name,
               .workers = spec_.workers,
               .exactly_once = spec_.exactly_once,
               .fate_of_run = [this](const JobId& job) { return fate_of_run(job); },
               .retained_committables =
                   [this](const JobId& job, const OperatorId& op) {
                     return retained_committables(job, op);
                   }},
      mailbox_(std::make_shared<Mailbox>(wake_)),
      strand_(environment.io, [mailbox = mailbox_](
                                  UniqueFunction<void()> mail) { mailbox->post(std::move(mail)); }),
      restart_(spec_.restart) {
  wake_.executor = &environment.executor;
  newest_ = spec_.restore;
}

JobMaster::~JobMaster() {
  // Whoever heard `on_end` may be here before the turn that called it has returned.
  environment_.executor.remove(running_);
  mailbox_->close();
}

void JobMaster::start() {
  started_ = environment_.clock.now();
  post([this] { open_directory(); });
  running_ = environment_.executor.add(spec_.control_worker, *this);
  wake_.set(running_);
  wake_.wake();
}

void JobMaster::request_stop() {
  post([this] {
    if (std::exchange(stop_requested_, true)) return;
    begin_stop();
  });
}

void JobMaster::request_checkpoint() {
  post([this] {
    if (phase_ == Phase::running) {
      carry_out(coordinator_->request(environment_.clock.now(), CheckpointReason::user));
    }
  });
}

void JobMaster::request_dump() {
  post([this] {
    if (execution_ == nullptr) return listener_.on_dump("no tasks are deployed");
    for (auto& task : execution_->tasks()) {
      task->post([this, each = task.get()] {
        std::string text = each->dump();
        post([this, text = std::move(text)] { listener_.on_dump(text); });
      });
    }
  });
}

void JobMaster::request_status() {
  post([this] { report_status(); });
}

Progress JobMaster::run() {
  // An enumerator or the making of an operator may throw: that fails the attempt as a task's
  // failure does.
  try {
    return turn();
  } catch (const ErrorException& thrown) {
    thrown_on_own_thread(thrown.error());
  } catch (const std::exception& thrown) {
    thrown_on_own_thread({.code = ErrorCode::job_failed,
                          .message = std::string("a function threw: ") + thrown.what()});
  }
  return phase_ == Phase::ended ? Progress::finished : Progress::progress;
}

void JobMaster::thrown_on_own_thread(Error error) {
  const bool attempt_stands =
      phase_ == Phase::running || (phase_ == Phase::recovering && execution_ != nullptr);
  if (attempt_stands) return fail_attempt(std::move(error));
  SR_ASSERT(phase_ == Phase::recovering,
            "only an attempt, or the making of one, runs functions that throw");
  failure_ = std::move(error);
  goal_ = Goal::fail;
  close_job();
}

Progress JobMaster::turn() {
  while (auto mail = mailbox_->try_take()) {
    mail();
    if (phase_ == Phase::ended) return Progress::finished;
  }
  const Instant now = environment_.clock.now();
  if (phase_ == Phase::running) {
    carry_out(coordinator_->on_time(now));
    if (phase_ == Phase::running && ask_again_at_ && *ask_again_at_ <= now) {
      ask_again_at_.reset();
      carry_out(coordinator_->request(now, ask_again_for_));
    }
    for (auto& [op, enumerator] : enumerators_) {
      const auto due = enumerator->next_deadline();
      if (due && *due <= now) enumerator->on_time();
    }
  }
  if (restart_at_ && *restart_at_ <= now) {
    restart_at_.reset();
    deploy();
  }
  if (stop_deadline_ && *stop_deadline_ <= now) {
    stop_deadline_.reset();
    result_.stopped_cleanly = false;
    result_.error = Error{.code = ErrorCode::stop_unclean,
                          .message = "the final checkpoint was not complete in time",
                          .why = "execution.shutdown-timeout has passed"};
    end_attempt(Goal::suspend);
  }
  if (next_status_ && *next_status_ <= now) {
    next_status_ = now + *spec_.status_period;
    report_status();
  }
  return phase_ == Phase::ended ? Progress::finished : Progress::idle;
}

std::optional<Instant> JobMaster::next_deadline() const {
  std::optional<Instant> next;
  const auto consider = [&](std::optional<Instant> deadline) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  };
  consider(restart_at_);
  consider(stop_deadline_);
  consider(next_status_);
  if (phase_ == Phase::running) {
    consider(coordinator_->next_deadline());
    consider(ask_again_at_);
    for (const auto& [op, enumerator] : enumerators_) consider(enumerator->next_deadline());
  }
  return next;
}

// ---- start and recovery

void JobMaster::open_directory() {
  struct Opened {
    std::unique_ptr<CheckpointDirectory> directory;
    CheckpointId highest = 0;
  };
  const CheckpointId restored = spec_.restore ? spec_.restore->metadata.id : 0;
  strand_.run(
      [this]() -> Result<Opened> {
        Opened opened;
        if (spec_.checkpoint_store == nullptr) return opened;
        opened.directory = SR_TRY(CheckpointDirectory::open(
            *spec_.checkpoint_store, spec_.checkpoint_root,
            {.job = {.job_id = spec_.id,
                     .family_id = spec_.family_id,
                     .job_name = spec_.name,
                     .started_unix_ms = environment_.clock.unix_milliseconds()},
             .attempt = environment_.random.uuid(),
             .lock_note = spec_.lock_note}));
        for (const std::string& name : SR_TRY(opened.directory->clean_leftovers()).removed) {
          environment_.log.info("removed the leftover " + name);
        }
        opened.highest = SR_TRY(opened.directory->highest_id_present());
        return opened;
      },
      [this, restored](Result<Opened> opened) {
        if (!opened) {
          failure_ = std::move(opened).error();
          return end({.status = JobStatus::failed, .error = failure_});
        }
        directory_ = std::move(opened->directory);
        spec_.checkpoints.first_id = 1 + std::max(restored, opened->highest);
        coordinator_ = std::make_unique<CheckpointCoordinator>(spec_.checkpoints);
        if (spec_.status_period) next_status_ = environment_.clock.now() + *spec_.status_period;
        if (stop_requested_) {
          result_.status = JobStatus::suspended;
          if (spec_.restore) result_.resume_path = spec_.restore->directory;
          return end(result_);
        }
        deploy();
      });
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
  Result<RestorePlan> plan = plan_current_restore();
  if (!plan) {
    failure_ = std::move(plan).error();
    goal_ = Goal::fail;
    return close_job();
  }
  plan_ = *std::move(plan);
  ++attempt_;
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

void JobMaster::recovered(Execution::RecoveryStep step) {
  switch (step) {
    case Execution::RecoveryStep::open: {
      if (!newest_ || newest_->directory.empty())
        return recover_step(Execution::RecoveryStep::commit_recovered);
      // The name of the snapshot may have been seen in a page cache only; commits make it count.
      return strand_.run(
          [this, directory = newest_->directory]() -> Result<void> {
            FileSystem* const store = SR_TRY(file_systems_.of_scheme("file"));
            Result<void> durable = make_durable(*store, directory, environment_.random.uuid());
            const bool read_only = !durable && (durable.error().code == ErrorCode::permission ||
                                                durable.error().code == ErrorCode::store_read_only);
            if (read_only)
              environment_.log.debug(
                  "the restored snapshot can't be written to; its name is taken as durable");
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
  listener_.on_running();
  carry_out(coordinator_->start(running_since_, std::move(names), fraction));
}

TaskReports JobMaster::reports_of_attempt() {
  const int attempt = attempt_;
  return {
      .acknowledged =
          [this, attempt](int task, CheckpointId id, std::vector<OperatorSubtaskState> states) {
            post_from_attempt(attempt, [this, task, id, states = std::move(states)]() mutable {
              acknowledged(task, id, std::move(states));
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
          }};
}

template <typename F>
void JobMaster::post_from_attempt(int attempt, F&& mail) {
  mailbox_->post([this, attempt, mail = std::forward<F>(mail)]() mutable {
    if (attempt == attempt_ && phase_ == Phase::running) mail();
  });
}

// ---- the end of an attempt

void JobMaster::fail_attempt(Error error) {
  if (phase_ == Phase::draining && error.retry == Retry::no && goal_ != Goal::fail) {
    // A graver reason than the one for which the attempt ends already.
    failure_ = std::move(error);
    goal_ = Goal::fail;
    return;
  }
  if (phase_ != Phase::running && phase_ != Phase::recovering) return;
  failure_ = std::move(error);
  end_attempt(Goal::restart);
}

void JobMaster::end_attempt(Goal goal) {
  goal_ = goal;
  const bool had_tasks = phase_ == Phase::running;
  phase_ = Phase::draining;
  stop_deadline_.reset();
  if (had_tasks) {
    for (const CheckpointId id : coordinator_->pending()) {
      const auto found = pending_.find(id);
      if (found != pending_.end() && found->second.in_directory) abandoned_.insert(id);
    }
    carry_out(coordinator_->shutdown(environment_.clock.now()));
    execution_->stop();
  }
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
  execution_.reset();
  enumerators_.clear();
  pending_.clear();
  if (abandoned_.empty()) return after_attempt();
  strand_.run([this, ids = std::exchange(abandoned_, {})] { return sweep(ids); },
              [this](bool) { after_attempt(); });
}

/// Removes what lies in the folders of checkpoints that the attempt began and did not complete: no
/// task writes there any more. Only names that the engine gives; trouble is a warning.
bool JobMaster::sweep(const std::set<CheckpointId>& ids) {
  for (const CheckpointId id : ids) {
    const auto listed = spec_.checkpoint_store->list(directory_->checkpoint_path(id));
    if (!listed) continue;  // gone already, or the next start cleans it
    std::vector<std::string> names;
    bool complete = false;
    for (const FileStatus& file : *listed) {
      const std::string name = base_name(file.path);
      complete = complete || name == kMetadataName;
      if (file.kind == FileKind::file && !file.is_link && is_uuid_name(name)) names.push_back(name);
    }
    if (complete) continue;
    if (const Result<void> removed = directory_->abort(id, names); !removed) {
      environment_.log.warning("could not remove what was written for chk-" + std::to_string(id) +
                               ": " + removed.error().headline());
    }
  }
  return true;
}

/// The attempt is gone: the restart strategy decides, or the job ends.
void JobMaster::after_attempt() {
  if (goal_ != Goal::restart) return close_job();

  const bool may_retry = failure_->retry == Retry::yes;
  const double chance = static_cast<double>(environment_.random.below(1U << 20U)) / (1U << 20U);
  const std::optional<Duration> delay =
      may_retry ? restart_.on_failure(environment_.clock.now(), chance) : std::nullopt;
  if (delay && stop_requested_) {
    goal_ = Goal::suspend;
    return close_job();
  }
  if (!delay) {
    if (may_retry && failure_->why.empty())
      failure_->why = "Recovery is suppressed by " + restart_.describe();
    goal_ = Goal::fail;
    return close_job();
  }
  phase_ = Phase::waiting;
  ++restarts_;
  listener_.on_restart(restarts_, *delay, *failure_);
  restart_at_ = environment_.clock.now() + *delay;
}

/// What is left to do on the store before the job ends: which checkpoints stay depends on how it
/// ends.
void JobMaster::close_job() {
  phase_ = Phase::closing;
  result_.status = goal_ == Goal::finish    ? JobStatus::finished
                   : goal_ == Goal::suspend ? JobStatus::suspended
                                            : JobStatus::failed;
  if (goal_ == Goal::fail) result_.error = failure_;
  const bool externalized = spec_.retention != CheckpointRetention::no_externalized_checkpoints;
  const bool keep = goal_ != Goal::finish && externalized;
  if (directory_ == nullptr) return finish_closing({});
  strand_.run(
      [this, keep, finished = goal_ == Goal::finish, retained = retained_,
       last = last_snapshot_]() -> Result<void> {
        if (finished) {
          SR_TRY(directory_->mark_finished(
              {.job_id = spec_.id,
               .job_name = spec_.name,
               .last_checkpoint = last,
               .finished_unix_ms = environment_.clock.unix_milliseconds()}));
        }
        if (keep) return {};
        // Oldest first: what is left at any moment is never older than the last commit.
        for (const CheckpointId id : retained) {
          const Result<bool> removed = directory_->remove(id);
          if (removed && *removed) continue;
          environment_.log.warning(
              "could not remove " + directory_->checkpoint_path(id) + ": " +
              (removed ? "something that is not ours lies in it" : removed.error().headline()));
        }
        return {};
      },
      [this, keep](Result<void> result) {
        if (!keep) retained_.clear();
        finish_closing(std::move(result));
      });
}

void JobMaster::finish_closing(Result<void> result) {
  if (!result) {
    environment_.log.warning("cleaning up: " + result.error().headline());
    if (goal_ == Goal::finish) result_ = {.status = JobStatus::failed, .error = result.error()};
  }
  if (goal_ != Goal::finish) {
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
  directory_.reset();
  listener_.on_end(result);
}

// ---- checkpoints

void JobMaster::carry_out(CheckpointActions actions) {
  for (const CheckpointAction& action : actions) {
    std::visit([this](const auto& each) { on(each); }, action);
  }
}

bool JobMaster::uses_directory(CheckpointReason reason) const {
  if (directory_ == nullptr) return false;
  // Without an interval the snapshot at the end of the input only commits, and may stay in memory,
  // unless an older one could be resumed: that would repeat what this one commits.
  const bool older_one = !retained_.empty() || (newest_ && !newest_->directory.empty());
  return reason != CheckpointReason::final || spec_.checkpoints.interval || older_one;
}

void JobMaster::on(const TriggerCheckpoint& action) {
  const CheckpointId id = action.id;
  PendingSnapshot pending;
  pending.id = id;
  pending.reason = action.reason;
  pending.in_directory = uses_directory(action.reason);
  pending.attempt = environment_.random.uuid();
  pending.triggered_unix_ms = environment_.clock.unix_milliseconds();
  SnapshotTarget target;
  if (pending.in_directory) {
    target = {.file_system = spec_.checkpoint_store,
              .directory = directory_->checkpoint_path(id),
              .inline_threshold = spec_.inline_threshold};
  }
  pending.target = std::make_shared<const SnapshotTarget>(std::move(target));
  const bool in_directory = pending.in_directory;
  pending_[id] = std::move(pending);
  if (!in_directory) return send_barriers(id);
  strand_.run([this, id] { return directory_->begin(id); },
              [this, id, attempt = attempt_](Result<bool> begun) {
                if (phase_ == Phase::draining) return attempt_drained();
                if (attempt != attempt_ || !pending_.contains(id)) return;
                const Instant now = environment_.clock.now();
                if (!begun) {
                  carry_out(coordinator_->declined(now, id, CheckpointCoordinator::kNoTask,
                                                   begun.error(), true));
                } else if (!*begun) {
                  pending_.erase(id);
                  carry_out(coordinator_->name_taken(now, id));
                } else {
                  send_barriers(id);
                }
              });
}

/// The enumerators' state and the triggers leave in the same turn: what an enumerator hands out
/// later comes behind the trigger in the reader's mailbox.
void JobMaster::send_barriers(CheckpointId id) {
  PendingSnapshot& pending = pending_.at(id);
  for (const auto& [op, enumerator] : enumerators_)
    pending.enumerators[op] = enumerator->snapshot();
  const CheckpointBarrier barrier{id, pending.target};
  for (auto& task : execution_->tasks()) {
    if (!task->is_source()) continue;
    task->post([each = task.get(), barrier] { each->trigger_checkpoint(barrier); });
  }
}

void JobMaster::acknowledged(int task, CheckpointId id, std::vector<OperatorSubtaskState> states) {
  const auto found = pending_.find(id);
  if (found != pending_.end()) {
    found->second.task_states[task] = std::move(states);
  } else {
    late_files_ = files_of(states);
  }
  carry_out(coordinator_->acknowledged(environment_.clock.now(), id, task));
  late_files_.clear();
}

void JobMaster::on(const PublishCheckpoint& action) {
  const CheckpointId id = action.id;
  const PendingSnapshot& pending = pending_.at(id);
  if (!pending.in_directory) {
    return post([this, id] { published(id, {}); });
  }
  CheckpointMetadata metadata = metadata_of(pending);
  strand_.run(
      [this, metadata]() mutable {
        metadata.completed_unix_ms = environment_.clock.unix_milliseconds();
        return directory_->publish(metadata);
      },
      [this, id](Result<void> result) { published(id, std::move(result)); });
}

void JobMaster::published(CheckpointId id, Result<void> result) {
  const Instant now = environment_.clock.now();
  const bool done = result.has_value();
  if (done) {
    PendingSnapshot& pending = pending_.at(id);
    ResolvedSnapshot snapshot;
    snapshot.metadata = metadata_of(pending);
    snapshot.metadata.completed_unix_ms = environment_.clock.unix_milliseconds();
    snapshot.full_bytes = full_bytes(snapshot.metadata);
    abandoned_.erase(id);
    if (pending.in_directory) {
      snapshot.directory = directory_->checkpoint_path(id);
      retained_.push_back(id);
    }
    last_completed_ = {.id = id,
                       .path = snapshot.directory,
                       .took_ms = snapshot.metadata.completed_unix_ms - pending.triggered_unix_ms,
                       .full_bytes = snapshot.full_bytes,
                       .new_bytes = snapshot.full_bytes};
    last_completed_at_ = now;
    newest_ = std::move(snapshot);
    // What was asked about the snapshot that the run started from says nothing about its own ones.
    spec_.allow_non_restored = false;
    spec_.drop_state.clear();
    // The one that only commits at the end of a job without checkpoints is nothing to talk about.
    if (pending.in_directory || spec_.checkpoints.interval)
      listener_.on_checkpoint_completed(*last_completed_);
  } else if (result.error().code == ErrorCode::store_fatal) {
    abandoned_.erase(id);  // in doubt: a power cut may bring its name back, so its files stay
  }
  carry_out(done ? coordinator_->published(now, id)
                 : coordinator_->publish_failed(now, id, std::move(result).error()));
  if (phase_ == Phase::draining) attempt_drained();
}

void JobMaster::on(const NotifyComplete& action) {
  const CheckpointId id = action.id;
  const auto found = pending_.find(id);
  const CheckpointReason reason =
      found != pending_.end() ? found->second.reason : CheckpointReason::periodic;
  if (found != pending_.end()) pending_.erase(found);
  if (phase_ != Phase::running)
    return;  // the attempt is gone; the next one commits what this snapshot lists
  const bool ends_job = (reason == CheckpointReason::final && goal_ == Goal::finish) ||
                        (reason == CheckpointReason::stop && goal_ == Goal::suspend);
  if (ends_job) last_snapshot_ = id;
  effects_missing_ = execution_->tasks().size();
  for (auto& task : execution_->tasks()) {
    task->post([each = task.get(), id] { each->notify_complete(id); });
  }
  retire_old_checkpoints();
}

void JobMaster::effects_done(CheckpointId id) {
  if (id != last_snapshot_ || last_snapshot_ == 0) return;
  if (--effects_missing_ > 0) return;
  end_attempt(goal_);
}

void JobMaster::retire_old_checkpoints() {
  while (static_cast<int>(retained_.size()) > spec_.retained) {
    const CheckpointId oldest = retained_.front();
    retained_.pop_front();
    strand_.run([this, oldest] { return directory_->remove(oldest); },
                [this, oldest](const Result<bool>& removed) {
                  if (!removed) {
                    environment_.log.warning("could not remove chk-" + std::to_string(oldest) +
                                             ": " + removed.error().headline());
                  }
                  if (phase_ == Phase::draining) attempt_drained();
                });
  }
}

void JobMaster::on(const AbortCheckpoint& action) {
  const auto found = pending_.find(action.id);
  if (found == pending_.end()) return;
  const CheckpointReason reason = found->second.reason;
  const bool in_directory = found->second.in_directory;
  std::vector<std::string> files = files_of(found->second);
  pending_.erase(found);
  if (phase_ != Phase::draining) listener_.on_checkpoint_failed(action.id, action.error);
  if (in_directory) {
    // Files of tasks that never said their names may lie there too: for when the attempt ends.
    abandoned_.insert(action.id);
    remove_files(action.id, std::move(files));
  }
  if (phase_ != Phase::running) return;
  for (auto& task : execution_->tasks()) {
    task->post([each = task.get(), id = action.id] { each->abort_checkpoint(id); });
  }
  const bool wanted = (reason == CheckpointReason::final && goal_ == Goal::finish) ||
                      (reason == CheckpointReason::stop && goal_ == Goal::suspend);
  if (wanted) {
    // Not at once: what failed fails again, and every try leaves work to clean up.
    ask_again_for_ = reason;
    ask_again_at_ = environment_.clock.now() +
                    std::max<Duration>(spec_.checkpoints.min_pause, std::chrono::seconds(1));
  }
}

void JobMaster::on(const DiscardAcknowledgement& action) {
  if (directory_ != nullptr && !late_files_.empty())
    remove_files(action.id, std::move(late_files_));
}

void JobMaster::remove_files(CheckpointId id, std::vector<std::string> files) {
  strand_.run([this, id, files = std::move(files)] { return directory_->abort(id, files); },
              [this, id](const Result<void>& removed) {
                if (!removed) {
                  environment_.log.warning("could not remove what was written for chk-" +
                                           std::to_string(id) + ": " + removed.error().headline());
                }
                if (phase_ == Phase::draining) attempt_drained();
              });
}

void JobMaster::on(const FailJob& action) {
  fail_attempt(action.error);
}

CheckpointMetadata JobMaster::metadata_of(const PendingSnapshot& pending) const {
  CheckpointMetadata metadata;
  metadata.id = pending.id;
  metadata.attempt = pending.attempt;
  metadata.job_id = spec_.id;
  metadata.family_id = spec_.family_id;
  metadata.job_name = spec_.name;
  metadata.registered_name = spec_.registered_name;
  metadata.arguments = spec_.arguments;
  metadata.parallelism = spec_.parallelism;
  metadata.plan = plan_as_json(spec_.graph);
  metadata.configuration = spec_.configuration;
  metadata.restored_from = spec_.restore ? spec_.restore->directory : "";
  metadata.triggered_unix_ms = pending.triggered_unix_ms;
  metadata.version = spec_.version;
  for (std::size_t i = 0; i < spec_.graph.operators.size(); ++i) {
    const JobOperator& op = spec_.graph.operators[i];
    OperatorSnapshot snapshot{.id = op.id,
                              .uid = op.node.uid,
                              .name = op.node.name,
                              .parallelism = op.node.parallelism,
                              .max_parallelism = op.node.max_parallelism,
                              .coordinator_state = {},
                              .subtasks = {}};
    if (const auto found = pending.enumerators.find(static_cast<int>(i));
        found != pending.enumerators.end()) {
      snapshot.coordinator_state = found->second;
    }
    const std::vector<int>& chain =
        spec_.graph.vertices[static_cast<std::size_t>(op.vertex)].operators;
    const auto position = static_cast<std::size_t>(
        std::find(chain.begin(), chain.end(), static_cast<int>(i)) - chain.begin());
    for (int subtask = 0; subtask < op.node.parallelism; ++subtask) {
      const int task = execution_->task_of(op.vertex, subtask);
      snapshot.subtasks.push_back(pending.task_states.at(task).at(position));
    }
    metadata.operators.push_back(std::move(snapshot));
  }
  return metadata;
}

// ---- the end of the input, and stopping

void JobMaster::end_of_data() {
  if (ended_tasks_.size() < execution_->tasks().size() || goal_ != Goal::none) return;
  goal_ = Goal::finish;
  carry_out(coordinator_->request(environment_.clock.now(), CheckpointReason::final));
}

void JobMaster::begin_stop() {
  switch (phase_) {
    case Phase::running:
      if (goal_ == Goal::finish) return;  // its last snapshot is on the way already
      goal_ = Goal::suspend;
      stop_deadline_ = environment_.clock.now() + spec_.shutdown_timeout;
      for (auto& task : execution_->tasks()) {
        if (task->is_source()) task->post([each = task.get()] { each->stop_source(); });
      }
      return carry_out(coordinator_->request(environment_.clock.now(), CheckpointReason::stop));
    case Phase::waiting:
      restart_at_.reset();
      goal_ = Goal::suspend;
      return close_job();
    case Phase::recovering:
      // Seen in `run_tasks`, or when the recovery fails.
    case Phase::opening:
    case Phase::draining:
    case Phase::closing:
    case Phase::ended:
      return;
  }
}

void JobMaster::report_status() {
  JobReport report;
  const Instant now = environment_.clock.now();
  report.status = phase_ == Phase::running    ? JobStatus::running
                  : phase_ == Phase::waiting  ? JobStatus::restarting
                  : phase_ == Phase::draining ? JobStatus::failing
                                              : JobStatus::initializing;
  report.uptime = now - started_;
  report.restarts = restarts_;
  report.last_checkpoint = last_completed_;
  if (last_completed_) report.since_checkpoint = now - last_completed_at_;
  if (execution_ != nullptr) {
    for (const auto& task : execution_->tasks()) {
      const TaskMetrics& metrics = task->metrics();
      report.tasks.push_back({.name = task->name(),
                              .records_in = metrics.records_in.load(),
                              .records_out = metrics.records_out.load(),
                              .busy_nanoseconds = metrics.busy_nanoseconds.load(),
                              .back_pressured = metrics.back_pressured.load()});
      if (task->is_source()) report.records_in += report.tasks.back().records_in;
    }
    for (const auto& op : spec_.graph.operators) {
      if (op.node.type != "Data Sink") continue;
      for (int subtask = 0; subtask < op.node.parallelism; ++subtask) {
        report.records_out +=
            report.tasks[static_cast<std::size_t>(execution_->task_of(op.vertex, subtask))]
                .records_out;
      }
    }
  }
  listener_.on_status(report);
}

RunFate JobMaster::fate_of_run(const JobId& job) const {
  if (job == spec_.id) return RunFate::this_run;
  if (spec_.checkpoint_store == nullptr) return RunFate::unknown;
  // One looks at a time: two that probe the lock at once would take each other for its holder.
  const std::lock_guard lock(fates_mutex_);
  const auto known = fates_.find(job);
  if (known != fates_.end()) return known->second;
  return fates_[job] = run_fate(*spec_.checkpoint_store, spec_.checkpoint_root, job,
                                spec_.family_id, spec_.name);
}

std::vector<std::string> JobMaster::retained_committables(const JobId& job,
                                                          const OperatorId& op) const {
  if (spec_.checkpoint_store == nullptr) return {};
  return committables_in(*spec_.checkpoint_store, spec_.checkpoint_root, job, op);
}

}  // namespace streamrun
