// The JobMaster as a runnable: its mail, its turns and deadlines; and what sinks ask it on I/O
// threads. The rest of it is in `job_master_*.cc`.
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/runtime/family.h>
#include <streamrun/runtime/job_master.h>

#include <iterator>
#include <utility>

namespace streamrun {

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
               .watermark_interval = spec_.watermark_interval,
               .chain_limits = spec_.incremental ? std::optional(spec_.chain_limits) : std::nullopt,
               .state_backend = spec_.state_backend,
               .commits_only_on_request = !spec_.checkpoints.interval && !spec_.graph.bounded(),
               .earlier_task_owned_folders = [this] { return earlier_task_owned_folders(); },
               .stop_job = [this](const std::string& why) { request_stop(why); },
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
  if (spec_.restore) {
    for (const CheckpointStatistics& before : spec_.restore->metadata.history)
      add_to_history(before);
  }
}

JobMaster::~JobMaster() {
  // Whoever heard `on_end` may be here before the turn that called it has returned.
  environment_.executor.remove(running_);
  mailbox_->close();
}

void JobMaster::start() {
  started_ = environment_.clock.now();
  started_unix_ms_ = environment_.clock.unix_milliseconds();
  post([this] { open_directory(); });
  running_ = environment_.executor.add(spec_.control_worker, *this);
  wake_.set(running_);
  wake_.wake();
}

void JobMaster::request_stop(const std::string& why) {
  post([this, why] {
    if (goal_ == Goal::finish || std::exchange(stop_requested_, true)) return;
    if (!why.empty()) listener_.on_stopping(why);
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
    const Progress progress = turn();
    if (const JobStatus now = status(); now != std::exchange(last_status_, now))
      last_change_unix_ms_ = environment_.clock.unix_milliseconds();
    return progress;
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
    announce_running();
    carry_out(coordinator_->on_time(now, [this](CheckpointId id, int task) {
      return snapshot_phase(execution_->tasks()[static_cast<std::size_t>(task)]->metrics(), id);
    }));
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

// ---- for sinks, on I/O threads

RunFate JobMaster::fate_of_run(const JobId& job) const {
  if (job == spec_.id) return RunFate::this_run;
  if (spec_.checkpoint_store == nullptr) return RunFate::unknown;
  // One looks, and who asks meanwhile hears what it saw.
  const std::lock_guard lock(fates_mutex_);
  const auto known = fates_.find(job);
  if (known != fates_.end()) return known->second;
  RunFate fate =
      run_fate(*spec_.checkpoint_store, spec_.checkpoint_root, job, spec_.family_id, spec_.name);
  // Its lock was free when this run took it, to claim what the other one wrote.
  const bool is_own_lock =
      claimed_ != nullptr &&
      claimed_->locked_folder() == join_path(spec_.checkpoint_root, to_string(job));
  if (fate == RunFate::alive && is_own_lock) fate = RunFate::dead;
  return fates_[job] = fate;
}

/// A fresh start is the first of its family.
std::vector<std::string> JobMaster::earlier_task_owned_folders() const {
  if (spec_.checkpoint_store == nullptr || !spec_.restore) return {};
  const std::lock_guard lock(fates_mutex_);
  if (!earlier_task_owned_) {
    earlier_task_owned_ = task_owned_folders(*spec_.checkpoint_store, spec_.checkpoint_root,
                                             spec_.family_id, spec_.id);
  }
  return *earlier_task_owned_;
}

/// In the checkpoints of the run, and in its savepoints as far as they can be found.
std::vector<std::string> JobMaster::retained_committables(const JobId& job,
                                                          const OperatorId& op) const {
  std::vector<std::string> found;
  const auto add = [&](std::vector<std::string> more) {
    found.insert(found.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  };
  if (spec_.checkpoint_store != nullptr)
    add(committables_in(*spec_.checkpoint_store, spec_.checkpoint_root, job, op));
  std::vector<SnapshotFolder> taken;
  if (job == spec_.id) {
    const std::lock_guard lock(fates_mutex_);
    taken = taken_savepoints_;
  }
  for (const SnapshotFolder& folder : taken)
    add(committables_in_savepoint(*folder.store, folder.path, job, op));
  if (spec_.savepoint_store != nullptr)
    add(committables_in_savepoints(*spec_.savepoint_store, spec_.savepoint_root, job, op));
  return found;
}

}  // namespace streamrun
