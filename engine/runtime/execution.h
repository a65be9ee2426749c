#pragma once

#include <streamrun/checkpoint/restore_plan.h>
#include <streamrun/graph/job_graph.h>
#include <streamrun/runtime/stream_task.h>
#include <streamrun/runtime/tracked_io_executor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// What all tasks of a job are told; constant while it runs.
struct ExecutionContext {
  Environment& environment;
  FileSystems& file_systems;
  std::string working_directory;
  JobId job_id;
  JobId family_id;
  std::string job_name;
  int workers = 1;  ///< subtask i runs on worker i modulo this
  bool exactly_once = true;
  Duration watermark_interval = std::chrono::milliseconds(200);
  std::optional<ChainLimits> chain_limits = {};  ///< none: no checkpoint is incremental
  StateBackend* state_backend = nullptr;
  bool commits_only_on_request = false;
  std::string task_owned_folder = {};
  std::function<std::vector<std::string>()> earlier_task_owned_folders;
  std::function<void(const std::string& why)> stop_job;
  std::function<RunFate(const JobId&)> fate_of_run;
  std::function<std::vector<std::string>(const JobId&, const OperatorId&)> retained_committables;
};

/// One attempt to execute a job: its tasks and the channels between them. The JobMaster's thread
/// builds and destroys it; between `start` and `stop` the tasks belong to the workers.
class Execution {
 public:
  /// `ask_for_split` is called on a task's thread with operator and subtask.
  Execution(const JobGraph& graph, const ExecutionContext& context, std::string attempt,
            TaskReports reports, std::function<void(int op, int subtask)> ask_for_split,
            std::function<void()> on_io_idle);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// `step` of each task (open, commit, …) on an I/O thread, side by side; `done` once per task, on
  /// an I/O thread.
  enum class RecoveryStep { open, commit_recovered, remove_leftovers };
  void recover(RecoveryStep step, const RestorePlan& plan,
               const std::function<void(Result<void>)>& done);
  void start();
  /// After it returns no task runs. I/O jobs may still be under way: destroy only when `io_idle`.
  void stop();
  bool io_idle() const { return io_->idle(); }

  std::vector<std::unique_ptr<StreamTask>>& tasks() { return tasks_; }
  const std::vector<std::unique_ptr<StreamTask>>& tasks() const { return tasks_; }
  /// Number of the task of (vertex, subtask).
  int task_of(int vertex, int subtask) const {
    return first_task_[static_cast<std::size_t>(vertex)] + subtask;
  }
  struct Place {
    int vertex;
    int subtask;
  };
  const Place& place_of(int task) const { return places_[static_cast<std::size_t>(task)]; }
  const std::string& attempt() const { return attempt_; }
  /// The world with I/O that this attempt waits for before it goes.
  Environment& environment() { return environment_; }

 private:
  void make_tasks();
  void make_channels();
  InputEdge input_edge_of(const StreamEdge& edge) const;
  OperatorContext context_of(const JobOperator& op, int subtask, StreamTask& task);

  const JobGraph& graph_;
  const ExecutionContext& context_;
  std::string attempt_;
  TaskReports reports_;
  std::function<void(int op, int subtask)> ask_for_split_;
  std::unique_ptr<TrackedIoExecutor> io_;
  Environment environment_;  ///< with the tracked I/O

  std::vector<Place> places_;
  std::vector<int> first_task_;
  std::vector<RunnableId> running_;
  // Channels outlive the tasks that use them.
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<StreamTask>> tasks_;
};

}  // namespace streamrun
