#pragma once

#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/runtime/execution.h>
#include <streamrun/runtime/io_strand.h>
#include <streamrun/runtime/job_listener.h>
#include <streamrun/runtime/job_spec.h>
#include <streamrun/runtime/pending_snapshot.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamrun {

/// Runs one job from its first record to its end: deploys attempts, restarts after failures, and
/// carries out what the CheckpointCoordinator decides. A runnable of its own; everything it owns
/// belongs to its thread, and all that it hears (tasks, I/O, people) comes as mail.
class JobMaster final : public Runnable {
 public:
  JobMaster(Environment& environment, FileSystems& file_systems, JobSpec spec,
            JobListener& listener);
  ~JobMaster() override;

  /// Adds itself to the executor. `listener.on_end` is the last thing that happens. It may be
  /// destroyed from then on, not by its own worker.
  void start();

  // Any thread.
  /// Suspends the job: sources stop, a last checkpoint is taken and committed, it ends as
  /// SUSPENDED. `why` is for the listener, when it is not its own process that asks.
  void request_stop(const std::string& why = {});
  /// A checkpoint now.
  void request_checkpoint();
  void request_dump();
  void request_status();

  Progress run() override;
  std::optional<Instant> next_deadline() const override;

 private:
  enum class Phase { opening, recovering, running, draining, waiting, closing, ended };
  enum class Goal { none, restart, finish, suspend, fail };

  void post(UniqueFunction<void()> mail) { mailbox_->post(std::move(mail)); }

  Progress turn();
  void thrown_on_own_thread(Error error);

  // Start and recovery.
  void open_directory();
  void finish_removals_of_family() const;
  void deploy();
  void verify_restore();
  void verified_restore(Result<void> result);
  void make_attempt();
  void recover_step(Execution::RecoveryStep step);
  void take_for_damage(Error& error) const;
  void recovered(Execution::RecoveryStep step);
  void run_tasks();
  void announce_running();
  Result<RestorePlan> plan_current_restore();
  void start_enumerators();

  // The end of an attempt.
  void fail_attempt(Error error);
  void end_attempt(Goal goal);
  void attempt_drained();
  bool sweep(const std::set<CheckpointId>& ids);
  void after_attempt();
  void close_job();
  void finish_closing(Result<void> result);
  void end(JobResult result);

  // Checkpoints.
  void carry_out(CheckpointActions actions);
  void on(const TriggerCheckpoint& action);
  void on(const PublishCheckpoint& action);
  void on(const NotifyComplete& action);
  void on(const AbortCheckpoint& action);
  void on(const DiscardAcknowledgement& action);
  void on(const FailJob& action);
  void send_barriers(CheckpointId id);
  void acknowledged(int task, CheckpointId id, std::vector<OperatorSubtaskState> states);
  void published(CheckpointId id, Result<void> result);
  void effects_done(CheckpointId id);
  void retire_old_checkpoints();
  void remove_files(CheckpointId id, std::vector<std::string> files);
  bool uses_directory(CheckpointReason reason) const;
  CheckpointMetadata metadata_of(const PendingSnapshot& pending) const;

  // The end of the input, and stopping.
  void end_of_data();
  void begin_stop();
  void report_status();
  TaskReports reports_of_attempt();
  /// Mail from an attempt that has ended is dropped.
  template <typename F>
  void post_from_attempt(int attempt, F&& mail);
  RunFate fate_of_run(const JobId& job) const;
  std::vector<std::string> retained_committables(const JobId& job, const OperatorId& op) const;

  // Constant after construction.
  Environment& environment_;
  FileSystems& file_systems_;
  JobSpec spec_;
  JobListener& listener_;
  ExecutionContext context_;
  RunnableId running_;  ///< set by `start`

  // Shared.
  mutable std::mutex fates_mutex_;
  mutable std::map<JobId, RunFate> fates_;  ///< guarded by fates_mutex_: sinks ask on I/O threads
  WakeTarget wake_;
  std::shared_ptr<Mailbox> mailbox_;

  // Owned by the JobMaster's thread.
  Phase phase_ = Phase::opening;
  Goal goal_ = Goal::none;
  IoStrand strand_;
  std::unique_ptr<CheckpointDirectory> directory_;
  std::unique_ptr<CheckpointCoordinator> coordinator_;
  RestartStrategy restart_;
  int attempt_ = 0;
  std::unique_ptr<Execution> execution_;
  RestorePlan plan_;
  std::size_t recovering_ = 0;  ///< tasks that the current recovery step still waits for
  std::optional<Error> recovery_error_;
  std::map<int, std::unique_ptr<SplitEnumerator>> enumerators_;  ///< by operator
  std::map<CheckpointId, PendingSnapshot> pending_;
  std::vector<std::string> late_files_;  ///< of the acknowledgement in hand
  std::set<CheckpointId>
      abandoned_;  ///< aborted before all tasks had answered: files nobody told of may lie there
  std::deque<CheckpointId>
      earlier_;  ///< complete ones of earlier runs of this job id; retained once one of this run is
  std::deque<CheckpointId> retained_;       ///< complete, in the directory, oldest first
  std::optional<ResolvedSnapshot> newest_;  ///< what a restart goes back to
  std::set<int> ended_tasks_;
  CheckpointId last_snapshot_ =
      0;  ///< final or stopping one: the job ends when its effects are done
  std::size_t effects_missing_ = 0;
  bool stop_requested_ = false;
  std::optional<Instant> stop_deadline_;
  std::optional<Instant> restart_at_;
  std::optional<Instant> ask_again_at_;  ///< a final or stopping snapshot that failed
  CheckpointReason ask_again_for_ = CheckpointReason::final;
  std::optional<Instant> next_status_;
  std::optional<Error> failure_;
  JobResult result_;
  Instant started_{};
  Instant running_since_{};
  bool announced_running_ = false;  ///< of this attempt
  int restarts_ = 0;
  std::optional<CheckpointSummary> last_completed_;
  Instant last_completed_at_{};
};

}  // namespace streamrun
