#pragma once

#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/claimed_snapshot.h>
#include <streamrun/runtime/asked.h>
#include <streamrun/runtime/execution.h>
#include <streamrun/runtime/io_strand.h>
#include <streamrun/runtime/job_control.h>
#include <streamrun/runtime/job_listener.h>
#include <streamrun/runtime/job_spec.h>
#include <streamrun/runtime/pending_snapshot.h>
#include <streamrun/runtime/shared_file_claims.h>

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
class JobMaster final : public Runnable, public JobControl {
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

  void ask_overview(Answer<JobOverview> answer) override;
  void cancel(Answer<void> answer) override;
  void take_checkpoint(bool full, Answer<CheckpointSummary> answer) override;
  void take_savepoint(std::string directory, Answer<std::string> answer) override;
  void stop_with_savepoint(std::string directory, bool drain, Answer<std::string> answer) override;
  void cancel_with_savepoint(std::string directory, Answer<std::string> answer) override;

  Progress run() override;
  std::optional<Instant> next_deadline() const override;

 private:
  enum class Phase { opening, recovering, running, draining, waiting, closing, ended };
  /// How the attempt is to end, and with all but `restart` the job. `stop`: FINISHED, with a
  /// savepoint.
  enum class Goal { none, restart, finish, suspend, stop, cancel, fail };
  enum class Purpose { savepoint, stop, drain, cancel };
  struct SavepointRequest {
    Purpose purpose;
    SnapshotFolder root;
    Asked<std::string> answer;
  };

  void post(UniqueFunction<void()> mail) { mailbox_->post(std::move(mail)); }

  Progress turn();
  void thrown_on_own_thread(Error error);

  // Start and recovery.
  void open_directory();
  void finish_removals_of_family() const;
  struct Opened {
    std::unique_ptr<CheckpointDirectory> directory;
    CheckpointId highest = 0;
    std::vector<CheckpointId> earlier;
    bool has_shared = false;
    std::map<CheckpointId, std::set<std::string>> shared;
    std::unique_ptr<ClaimedSnapshot> claimed;
  };
  Result<Opened> open_checkpoints() const;
  Result<void> find_earlier(Opened& opened) const;
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
  Error attempt_has_ended() const;
  void attempt_drained();
  bool sweep(const std::map<CheckpointId, SnapshotFolder>& folders);
  void sweep_shared() const;
  void after_attempt();
  std::string restart_point() const;
  void close_job();
  Result<bool> remove_retained(CheckpointId id) const;
  std::string path_of_retained(CheckpointId id) const;
  void remove_checkpoints(const std::deque<CheckpointId>& ids) const;
  void clean_shared() const;
  void finish_closing(const Result<void>& result);
  void end(JobResult result);

  // Checkpoints.
  void carry_out(const CheckpointActions& actions);
  void on(const TriggerCheckpoint& action);
  void on(const PublishCheckpoint& action);
  void on(const NotifyComplete& action);
  void on(const SavepointDone& action);
  void on(const AbortCheckpoint& action);
  void on(const DiscardAcknowledgement& action);
  void on(const FailJob& action);
  void send_barriers(CheckpointId id);
  void acknowledged(int task, CheckpointId id, std::vector<OperatorSubtaskState> states,
                    const SnapshotTimings& timings);
  void add_to_history(CheckpointStatistics statistics);
  std::optional<Error> too_large_for_memory(const PendingSnapshot& pending,
                                            const std::vector<OperatorSubtaskState>& states) const;
  void published(CheckpointId id, Result<void> result);
  void effects_done(CheckpointId id);
  void retire_old_checkpoints();
  bool is_incremental(const PendingSnapshot& pending) const;
  std::uint64_t reused_bytes(CheckpointId id,
                             const std::vector<OperatorSubtaskState>& states) const;
  void remove_shared(const std::set<std::string>& names);
  void remove_files(CheckpointId id, std::vector<std::string> files);
  Result<void> abort_in(CheckpointId id, const SnapshotFolder& folder,
                        const std::vector<std::string>& files);
  bool uses_directory(CheckpointReason reason) const;
  SnapshotKind kind_of(CheckpointReason reason) const;
  SnapshotFolder folder_of(CheckpointId id, CheckpointReason reason);
  void begin_folder(CheckpointId id);
  bool adopt_requests(CheckpointId id, CheckpointReason reason);
  void return_requests(CheckpointId id);
  void remember(const PendingSnapshot& pending, ResolvedSnapshot snapshot);
  CheckpointSummary summary_of(const PendingSnapshot& pending, const ResolvedSnapshot& snapshot);

  // What people ask.
  template <typename T>
  void ask(Answer<T> answer, UniqueFunction<void(Asked<T>)> mail);
  void ask_for_savepoint(std::string directory, Purpose purpose, Answer<std::string> answer);
  void begin_savepoint(SavepointRequest request);
  void begin_cancel(Asked<void> answer);
  std::optional<Error> why_not_now() const;
  Result<SnapshotFolder> savepoint_root(const std::string& directory) const;
  void savepoint_failed(SavepointRequest request, const Error& error);
  void answer_waiting(const Error& error);
  void answer_all(const Error& error);
  JobStatus status() const;
  JobReport report() const;
  JobOverview overview() const;
  CheckpointMetadata metadata_of(const PendingSnapshot& pending) const;

  // The end of the input, and stopping.
  void end_of_data();
  void begin_stop();
  void suspend_without_snapshot();
  void report_status();
  TaskReports reports_of_attempt();
  /// Mail from an attempt that has ended is dropped.
  template <typename F>
  void post_from_attempt(int attempt, F&& mail);
  RunFate fate_of_run(const JobId& job) const;
  std::vector<std::string> earlier_task_owned_folders() const;
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
  mutable std::optional<std::vector<std::string>> earlier_task_owned_;  ///< guarded by fates_mutex_
  std::vector<SnapshotFolder> taken_savepoints_;  ///< guarded by fates_mutex_: complete ones
  WakeTarget wake_;
  std::shared_ptr<Mailbox> mailbox_;

  // Owned by the JobMaster's thread.
  Phase phase_ = Phase::opening;
  Goal goal_ = Goal::none;
  IoStrand strand_;
  std::unique_ptr<CheckpointDirectory> directory_;
  std::unique_ptr<ClaimedSnapshot> claimed_;  ///< outside of the directory; null: none
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
  SharedFileClaims shared_files_;
  bool has_shared_files_ = false;  ///< there may be some in the job's folder
  CheckpointId base_ = 0;  ///< the newest complete incremental checkpoint of the attempt; 0: none
  std::map<CheckpointId, SnapshotFolder>
      abandoned_;  ///< aborted before all tasks had answered: files nobody told of may lie there
  std::deque<CheckpointId>
      earlier_;  ///< complete ones of earlier runs of this job id; retained once one of this run is
  std::deque<CheckpointId> retained_;                ///< complete, in the directory, oldest first
  std::optional<ResolvedSnapshot> newest_;           ///< what a restart goes back to
  std::deque<SavepointRequest> savepoint_requests_;  ///< not triggered yet, in order
  std::map<CheckpointId, SavepointRequest> savepoints_;        ///< the others
  std::optional<SavepointRequest> drain_;                      ///< waits for the end of the data
  std::vector<Asked<CheckpointSummary>> checkpoint_requests_;  ///< not triggered yet
  bool full_requested_ = false;                                ///< by one of them
  std::map<CheckpointId, std::vector<Asked<CheckpointSummary>>> checkpoint_answers_;
  std::string final_savepoint_;    ///< that the job ends with, once it is complete
  bool savepoint_at_stop_ = true;  ///< false once that has failed: a checkpoint is the next try
  bool cancels_with_savepoint_ = false;
  bool cancel_requested_ = false;
  CheckpointId highest_completed_ = 0;  ///< snapshot of any kind, of this run
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
  std::int64_t started_unix_ms_ = 0;
  Instant running_since_{};
  bool announced_running_ = false;  ///< of this attempt
  JobStatus last_status_ = JobStatus::created;
  std::int64_t last_change_unix_ms_ = 0;
  int restarts_ = 0;
  std::optional<CheckpointSummary> last_completed_;
  std::deque<CheckpointStatistics> history_;  ///< the last `spec_.history`, oldest first
  Instant last_completed_at_{};
};

}  // namespace streamrun
