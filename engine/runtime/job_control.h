#pragma once

#include <streamrun/runtime/job_listener.h>

#include <functional>
#include <string>
#include <vector>

namespace streamrun {

/// One task, for a person who looks at a running job.
struct TaskOverview {
  std::string vertex;  ///< its name
  int subtask = 0;
  std::string state;  ///< lower case, Flink's word: "running", "initializing", "finished", …
};

/// A moment of a job. Times in milliseconds since 1970.
struct JobOverview {
  JobId id;
  std::string name;
  JobStatus status = JobStatus::created;
  std::int64_t started_unix_ms = 0;
  std::int64_t ended_unix_ms = -1;  ///< -1: not yet
  std::int64_t last_change_unix_ms = 0;
  JobReport report = {};
  std::vector<TaskOverview> tasks = {};
};

/// What people may ask of a running job. Each call is for any thread and returns at once; `answer`
/// is called exactly once, on the JobMaster's thread, and must not block: at the latest when the
/// job ends, then with an error that says so.
class JobControl {
 public:
  virtual ~JobControl() = default;
  template <typename T>
  using Answer = std::function<void(Result<T>)>;

  virtual void ask_overview(Answer<JobOverview> answer) = 0;
  /// Ends the job as CANCELED: no last checkpoint, nothing is committed. Answered when it has
  /// begun.
  virtual void cancel(Answer<void> answer) = 0;
  /// A checkpoint now; `full`: whatever the backend would do by itself.
  virtual void take_checkpoint(bool full, Answer<CheckpointSummary> answer) = 0;
  /// A savepoint in a new folder below `directory` (empty: the configured `state.savepoints.dir`;
  /// none configured is an error that names the key). Answered with its absolute path when it is
  /// complete.
  virtual void take_savepoint(std::string directory, Answer<std::string> answer) = 0;
  /// Flink's stop with savepoint: sources stop, a savepoint is taken and committed, the job ends
  /// FINISHED. `drain`: sends the end of the input (maximum watermark) through first. Answered with
  /// the path.
  virtual void stop_with_savepoint(std::string directory, bool drain,
                                   Answer<std::string> answer) = 0;
  /// Savepoint, then cancel once it is complete (Flink's `cancel -s`).
  virtual void cancel_with_savepoint(std::string directory, Answer<std::string> answer) = 0;
};

}  // namespace streamrun
