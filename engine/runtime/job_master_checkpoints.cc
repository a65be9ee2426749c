// Carries out what the CheckpointCoordinator decides.
#include <streamrun/base/crash_point.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/runtime/job_master.h>
#include <streamrun/state/shared_file.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

/// Whether a snapshot that failed so is in doubt, as a power cut may bring its name back, or in a
/// folder that another run has taken over and may refer to.
bool leaves_files(ErrorCode code) {
  return code == ErrorCode::store_fatal || code == ErrorCode::lock;
}

}  // namespace

void JobMaster::carry_out(const CheckpointActions& actions) {
  for (const CheckpointAction& action : actions) {
    std::visit([this](const auto& each) { on(each); }, action);
  }
}

bool JobMaster::uses_directory(CheckpointReason reason) const {
  if (directory_ == nullptr) return false;
  // Without an interval the snapshot at the end of the input only commits, and may stay in memory,
  // unless an older one could be resumed: that would repeat what this one commits.
  const bool older_one =
      !retained_.empty() || !taken_savepoints_.empty() || (newest_ && !newest_->directory.empty());
  return reason != CheckpointReason::final || spec_.checkpoints.interval || older_one;
}

/// A job that is suspended leaves a savepoint where there is a folder for them.
SnapshotKind JobMaster::kind_of(CheckpointReason reason) const {
  const bool suspends_with_one =
      reason == CheckpointReason::stop && savepoint_at_stop_ && spec_.savepoint_store != nullptr;
  return is_savepoint(reason) || suspends_with_one ? SnapshotKind::savepoint
                                                   : SnapshotKind::checkpoint;
}

SnapshotFolder JobMaster::folder_of(CheckpointId id, CheckpointReason reason) {
  if (kind_of(reason) == SnapshotKind::savepoint) {
    const SnapshotFolder root = is_savepoint(reason)
                                    ? savepoints_.at(id).root
                                    : SnapshotFolder{spec_.savepoint_store, spec_.savepoint_root};
    const std::string name = savepoint_folder_name(spec_.id, environment_.random.uuid());
    return {root.store, join_path(root.path, name)};
  }
  if (!uses_directory(reason)) return {};
  return {spec_.checkpoint_store, directory_->checkpoint_path(id)};
}

/// Whoever waits for a snapshot that now begins. True if one of them wants all state in it.
bool JobMaster::adopt_requests(CheckpointId id, CheckpointReason reason) {
  if (is_savepoint(reason)) {
    savepoints_.insert_or_assign(id, std::move(savepoint_requests_.front()));
    savepoint_requests_.pop_front();
    return true;
  }
  if (reason == CheckpointReason::periodic || checkpoint_requests_.empty()) return false;
  checkpoint_answers_[id] = std::exchange(checkpoint_requests_, {});
  return std::exchange(full_requested_, false);
}

/// They wait for the next one that is triggered.
void JobMaster::return_requests(CheckpointId id) {
  if (auto answers = checkpoint_answers_.extract(id)) {
    checkpoint_requests_ = std::move(answers.mapped());
    full_requested_ = full_requested_ || pending_.at(id).target->is_full;
  }
  if (auto asked = savepoints_.extract(id))
    savepoint_requests_.push_front(std::move(asked.mapped()));
}

/// Whether files of it are shared, and it is built upon what is.
bool JobMaster::is_incremental(const PendingSnapshot& pending) const {
  return spec_.incremental && pending.kind == SnapshotKind::checkpoint && pending.folder;
}

void JobMaster::on(const TriggerCheckpoint& action) {
  SR_CRASH("cp.trigger.before");
  const CheckpointId id = action.id;
  const bool is_full = adopt_requests(id, action.reason);
  PendingSnapshot pending;
  pending.id = id;
  pending.reason = action.reason;
  pending.kind = kind_of(action.reason);
  pending.folder = folder_of(id, action.reason);
  pending.attempt = environment_.random.uuid();
  pending.triggered = environment_.clock.now();
  pending.triggered_unix_ms = environment_.clock.unix_milliseconds();
  SnapshotTarget target;
  if (pending.folder) {
    target = {.file_system = pending.folder.store,
              .directory = pending.folder.path,
              .inline_threshold = spec_.inline_threshold,
              .compressed = false};
  }
  target.compressed = spec_.compresses_snapshots;
  target.is_full = is_full;
  if (is_incremental(pending)) {
    shared_files_.begin(id);
    target.shared_directory = directory_->shared_path();
    target.base = base_;
  }
  pending.target = std::make_shared<const SnapshotTarget>(std::move(target));
  pending_[id] = std::move(pending);
  begin_folder(id);
}

/// Barriers leave in the order of their ids: also one that needs no folder waits for the folders of
/// those before it.
void JobMaster::begin_folder(CheckpointId id) {
  const PendingSnapshot& pending = pending_.at(id);
  if (!pending.folder && strand_.idle()) return send_barriers(id);
  strand_.run(
      [this, id, kind = pending.kind, folder = pending.folder]() -> Result<bool> {
        if (!folder) return true;
        if (kind == SnapshotKind::checkpoint) return directory_->begin(id);
        return begin_savepoint_folder(*folder.store, folder.path);
      },
      [this, id, attempt = attempt_](Result<bool> begun) {
        if (phase_ == Phase::draining) return attempt_drained();
        if (attempt != attempt_ || !pending_.contains(id)) return;
        const Instant now = environment_.clock.now();
        if (!begun) {
          // A savepoint's folder says nothing about that of checkpoints: if the job was to end with
          // it, a checkpoint is tried next.
          const bool counts = pending_.at(id).kind == SnapshotKind::checkpoint;
          carry_out(coordinator_->declined(now, id, CheckpointCoordinator::kNoTask, begun.error(),
                                           counts));
        } else if (!*begun) {
          return_requests(id);
          pending_.erase(id);
          remove_shared(shared_files_.give_up(id));
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
  CheckpointBarrier barrier{.id = id,
                            .target = pending.target,
                            .triggered = pending.triggered,
                            .overtake_at = std::nullopt};
  if (spec_.overtake_after && pending.kind == SnapshotKind::checkpoint) {
    const bool for_ever = *spec_.overtake_after > Instant::max() - pending.triggered;
    if (!for_ever) barrier.overtake_at = pending.triggered + *spec_.overtake_after;
  }
  const bool holds = pending.reason == CheckpointReason::stop_savepoint;
  for (auto& task : execution_->tasks()) {
    if (!task->is_source()) continue;
    task->post([each = task.get(), barrier, holds] { each->trigger_checkpoint(barrier, holds); });
  }
}

/// As in Flink. What only commits, and is no checkpoint to go back to, may be as large as it is.
std::optional<Error> JobMaster::too_large_for_memory(
    const PendingSnapshot& pending, const std::vector<OperatorSubtaskState>& states) const {
  const bool only_commits =
      pending.reason >= CheckpointReason::final && !spec_.checkpoints.interval;
  if (pending.folder || only_commits) return std::nullopt;
  std::uint64_t largest = 0;
  for (const OperatorSubtaskState& state : states) {
    for_each_data(state, [&](const StateHandle& data) {
      largest = std::max<std::uint64_t>(largest, data.size());
    });
    for (const OperatorListState& list : state.lists) {
      std::uint64_t size = 0;
      for (const std::string& element : list.elements) size += element.size();
      largest = std::max(largest, size);
    }
  }
  if (largest <= spec_.memory_limit) return std::nullopt;
  return Error{.code = ErrorCode::store_full,
               .message = "a state of " + std::to_string(largest) +
                          " bytes is too large for checkpoints in memory, where it may have " +
                          std::to_string(spec_.memory_limit),
               .tries = {"set state.checkpoints.dir, and not execution.checkpointing.storage: "
                         "jobmanager, so that checkpoints are files"}};
}

void JobMaster::acknowledged(int task, CheckpointId id, std::vector<OperatorSubtaskState> states,
                             const SnapshotTimings& timings) {
  const auto found = pending_.find(id);
  if (found != pending_.end()) {
    if (const auto error = too_large_for_memory(found->second, states)) {
      return carry_out(coordinator_->declined(environment_.clock.now(), id, task, *error, true));
    }
    const auto ms = [](Duration duration) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    };
    const std::uint64_t bytes = bytes_of(states);
    found->second.statistics[task] = {
        .task = execution_->tasks()[static_cast<std::size_t>(task)]->name(),
        .acknowledged_unix_ms = environment_.clock.unix_milliseconds(),
        .start_delay_ms = ms(timings.start_delay),
        .alignment_ms = ms(timings.alignment),
        .sync_ms = ms(timings.sync),
        .async_ms = ms(timings.async),
        .full_bytes = bytes,
        .new_bytes = bytes - reused_bytes(id, states),
        .in_flight_bytes = in_flight_bytes_of(states),
        .unaligned = timings.unaligned};
    found->second.task_states[task] = std::move(states);
  } else {
    late_files_ = files_of(states);
  }
  remove_shared(shared_files_.writers_ended(id, task));
  carry_out(coordinator_->acknowledged(environment_.clock.now(), id, task));
  late_files_.clear();
}

/// Of files that others have written.
std::uint64_t JobMaster::reused_bytes(CheckpointId id,
                                      const std::vector<OperatorSubtaskState>& states) const {
  std::uint64_t bytes = 0;
  for (const OperatorSubtaskState& state : states) {
    for_each_data(state, [&](const StateHandle& data) {
      const bool is_reused = data.file && is_shared(*data.file) &&
                             !shared_files_.has_claimed(id, shared_file_name(*data.file));
      if (is_reused) bytes += data.file->length;
    });
  }
  return bytes;
}

void JobMaster::on(const PublishCheckpoint& action) {
  const CheckpointId id = action.id;
  const PendingSnapshot& pending = pending_.at(id);
  if (!pending.folder) {
    return post([this, id] { published(id, {}); });
  }
  CheckpointMetadata metadata = metadata_of(pending);
  strand_.run(
      [this, folder = pending.folder, metadata]() mutable {
        metadata.completed_unix_ms = environment_.clock.unix_milliseconds();
        return metadata.kind == SnapshotKind::checkpoint
                   ? directory_->publish(metadata)
                   : publish_snapshot(*folder.store, folder.path, {}, metadata);
      },
      [this, id](Result<void> result) { published(id, std::move(result)); });
}

void JobMaster::published(CheckpointId id, Result<void> result) {
  const Instant now = environment_.clock.now();
  const bool done = result.has_value();
  if (done) {
    const PendingSnapshot& pending = pending_.at(id);
    ResolvedSnapshot snapshot;
    snapshot.directory = pending.folder.path;
    snapshot.metadata = metadata_of(pending);
    snapshot.metadata.completed_unix_ms = environment_.clock.unix_milliseconds();
    snapshot.full_bytes = full_bytes(snapshot.metadata);
    abandoned_.erase(id);
    if (is_incremental(pending)) {
      base_ = std::max(base_, id);
      remove_shared(shared_files_.complete(id, shared_names_of(snapshot.metadata)));
    }
    remember(pending, std::move(snapshot));
  } else if (leaves_files(result.error().code)) {
    abandoned_.erase(id);
    if (is_incremental(pending_.at(id))) shared_files_.doubt(id);
  }
  carry_out(done ? coordinator_->published(now, id)
                 : coordinator_->publish_failed(now, id, std::move(result).error()));
  if (phase_ == Phase::draining) attempt_drained();
}

CheckpointSummary JobMaster::summary_of(const PendingSnapshot& pending,
                                        const ResolvedSnapshot& snapshot) {
  const CheckpointStatistics& own = snapshot.metadata.history.back();
  return {.id = pending.id,
          .path = snapshot.directory,
          .took_ms = snapshot.metadata.completed_unix_ms - pending.triggered_unix_ms,
          .full_bytes = snapshot.full_bytes,
          .new_bytes = std::min(own.new_bytes, snapshot.full_bytes),
          .in_flight_bytes = own.in_flight_bytes};
}

/// Of those before, what each subtask took is not kept.
void JobMaster::add_to_history(CheckpointStatistics statistics) {
  statistics.by_subtask.clear();
  history_.push_back(std::move(statistics));
  while (history_.size() > spec_.history) history_.pop_front();
}

/// A snapshot that is complete: who is told of it, and whether a failure goes back to it. To a
/// savepoint it does if that commits something, since an older one would repeat it.
void JobMaster::remember(const PendingSnapshot& pending, ResolvedSnapshot snapshot) {
  const CheckpointSummary summary = summary_of(pending, snapshot);
  add_to_history(snapshot.metadata.history.back());
  highest_completed_ = std::max(highest_completed_, pending.id);
  if (pending.kind == SnapshotKind::savepoint) {
    {
      const std::lock_guard lock(fates_mutex_);
      taken_savepoints_.push_back(pending.folder);
    }
    if (ends_job(pending.reason)) final_savepoint_ = pending.folder.path;
    listener_.on_savepoint_completed(summary);
    if (pending.reason == CheckpointReason::savepoint && spec_.prefer_checkpoint) return;
  } else {
    if (pending.folder) {
      retained_.insert(retained_.begin(), earlier_.begin(), earlier_.end());
      earlier_.clear();
      retained_.push_back(pending.id);
    }
    last_completed_ = summary;
    last_completed_at_ = environment_.clock.now();
    // The one that only commits at the end of a job without checkpoints is nothing to talk about.
    if (pending.folder || spec_.checkpoints.interval)
      listener_.on_checkpoint_completed(*last_completed_);
  }
  // One that was overtaken by a newer one is no step back.
  if (newest_ && newest_->metadata.id > snapshot.metadata.id) return;
  newest_ = std::move(snapshot);
  // What was asked about the snapshot that the run started from says nothing about its own ones.
  spec_.allow_non_restored = false;
  spec_.drop_state.clear();
}

void JobMaster::on(const NotifyComplete& action) {
  const CheckpointId id = action.id;
  const auto found = pending_.find(id);
  const CheckpointReason reason =
      found != pending_.end() ? found->second.reason : CheckpointReason::periodic;
  if (found != pending_.end()) pending_.erase(found);
  if (auto answers = checkpoint_answers_.extract(id)) {
    for (auto& answer : answers.mapped()) answer(*last_completed_);
  }
  retire_old_checkpoints();
  if (phase_ != Phase::running)
    return;  // the attempt is gone; the next one commits what this snapshot lists
  const bool ends = (reason == CheckpointReason::final && goal_ == Goal::finish) ||
                    (reason == CheckpointReason::stop && goal_ == Goal::suspend) ||
                    (reason == CheckpointReason::stop_savepoint && goal_ == Goal::stop);
  if (ends) {  // a newer one may be complete before its effects are
    last_snapshot_ = id;
    effects_missing_ = execution_->tasks().size();
  }
  SR_CRASH("cp.complete.before-notify");
  for (auto& task : execution_->tasks()) {
    task->post([each = task.get(), id] { each->notify_complete(id); });
  }
}

void JobMaster::on(const SavepointDone& action) {
  const auto pending = pending_.extract(action.id);
  auto asked = savepoints_.extract(action.id);
  if (pending.empty() || asked.empty()) return;
  asked.mapped().answer(pending.mapped().folder.path);
  if (asked.mapped().purpose != Purpose::cancel) return;
  final_savepoint_ = pending.mapped().folder.path;
  begin_cancel(Asked<void>({}));
}

void JobMaster::effects_done(CheckpointId id) {
  if (id != last_snapshot_ || last_snapshot_ == 0) return;
  SR_CRASH(goal_ == Goal::finish ? "drain.final.mid" : "stop.commit.mid");
  if (--effects_missing_ > 0) return;
  end_attempt(goal_);
}

void JobMaster::retire_old_checkpoints() {
  while (static_cast<int>(retained_.size()) > spec_.retained) {
    const CheckpointId oldest = retained_.front();
    retained_.pop_front();
    strand_.run([this, oldest] { return remove_retained(oldest); },
                [this, oldest](const Result<bool>& removed) {
                  // A claimed one may have the number of one in this run's folder.
                  const bool is_claimed = claimed_ != nullptr && claimed_->id() == oldest;
                  if (removed) {
                    if (!is_claimed) remove_shared(shared_files_.drop(oldest));
                  } else {
                    environment_.log.warning("could not remove " + path_of_retained(oldest) + ": " +
                                             removed.error().headline());
                  }
                  if (phase_ == Phase::draining) attempt_drained();
                });
  }
}

/// What no checkpoint needs, nor will. Those that can't be removed are left for a later clean-up.
void JobMaster::remove_shared(const std::set<std::string>& names) {
  if (names.empty()) return;
  strand_.run(
      [this, names] { return directory_->remove_shared(names); },
      [this, names](const Result<void>& removed) {
        if (!removed) {
          environment_.log.warning("could not remove shared files: " + removed.error().headline());
        }
        shared_files_.removed(names);
        if (phase_ == Phase::draining) attempt_drained();
      });
}

void JobMaster::on(const AbortCheckpoint& action) {
  const auto found = pending_.find(action.id);
  if (found == pending_.end()) return;
  const CheckpointReason reason = found->second.reason;
  const SnapshotKind kind = found->second.kind;
  const SnapshotFolder folder = found->second.folder;
  std::vector<std::string> files = files_of(found->second);
  CheckpointStatistics statistics = statistics_of(found->second, execution_->tasks().size());
  statistics.took_ms = environment_.clock.unix_milliseconds() - statistics.triggered_unix_ms;
  statistics.failure =
      action.error.headline() + (action.error.why.empty() ? "" : ": " + action.error.why);
  add_to_history(std::move(statistics));
  pending_.erase(found);
  if (phase_ != Phase::draining) {
    if (kind == SnapshotKind::checkpoint) {
      listener_.on_checkpoint_failed(action.id, action.error);
    } else {
      listener_.on_savepoint_failed(action.error);
    }
  }
  if (folder && !leaves_files(action.error.code)) {
    // Files of tasks that never said their names may lie there too: for when the attempt ends.
    abandoned_[action.id] = folder;
    remove_files(action.id, std::move(files));
    remove_shared(shared_files_.give_up(action.id));
  }
  if (auto answers = checkpoint_answers_.extract(action.id)) {
    for (auto& answer : answers.mapped()) answer(action.error);
  }
  if (phase_ == Phase::running) {
    for (auto& task : execution_->tasks()) {
      task->post([each = task.get(), id = action.id] { each->abort_checkpoint(id); });
    }
  }
  if (auto asked = savepoints_.extract(action.id)) {
    savepoint_failed(std::move(asked.mapped()), action.error);
  }
  if (phase_ != Phase::running) return;
  const bool wanted = (reason == CheckpointReason::final && goal_ == Goal::finish) ||
                      (reason == CheckpointReason::stop && goal_ == Goal::suspend);
  if (wanted) {
    if (kind == SnapshotKind::savepoint && directory_ != nullptr) savepoint_at_stop_ = false;
    // Not at once: what failed fails again, and every try leaves work to clean up.
    ask_again_for_ = reason;
    ask_again_at_ = environment_.clock.now() +
                    std::max<Duration>(spec_.checkpoints.min_pause, std::chrono::seconds(1));
  }
}

void JobMaster::on(const DiscardAcknowledgement& action) {
  // Perhaps none by now, but then the folder may be empty.
  remove_files(action.id, std::exchange(late_files_, {}));
}

void JobMaster::remove_files(CheckpointId id, std::vector<std::string> files) {
  const auto found = abandoned_.find(id);
  if (found == abandoned_.end()) return;
  strand_.run([this, id, folder = found->second,
               files = std::move(files)] { return abort_in(id, folder, files); },
              [this, path = found->second.path](const Result<void>& removed) {
                if (!removed) {
                  environment_.log.warning("could not remove what was written for " + path + ": " +
                                           removed.error().headline());
                }
                if (phase_ == Phase::draining) attempt_drained();
              });
}

Result<void> JobMaster::abort_in(CheckpointId id, const SnapshotFolder& folder,
                                 const std::vector<std::string>& files) {
  const bool own = directory_ != nullptr && folder.path == directory_->checkpoint_path(id);
  return own ? directory_->abort(id, files) : abort_snapshot(*folder.store, folder.path, files);
}

void JobMaster::on(const FailJob& action) {
  fail_attempt(action.error);
}

CheckpointMetadata JobMaster::metadata_of(const PendingSnapshot& pending) const {
  CheckpointMetadata metadata;
  metadata.kind = pending.kind;
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
  metadata.history.assign(history_.begin(), history_.end());
  metadata.history.push_back(statistics_of(pending, execution_->tasks().size()));
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

}  // namespace streamrun
