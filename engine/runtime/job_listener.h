#pragma once

#include <streamrun/base/error.h>
#include <streamrun/base/ids.h>
#include <streamrun/platform/clock.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Flink's job states, as far as one process has them.
enum class JobStatus {
  created,
  initializing,
  running,
  restarting,
  failing,
  cancelling,
  finished,
  canceled,
  suspended,
  failed
};
/// `RUNNING`, as Flink spells it.
const char* to_string(JobStatus status);

struct CheckpointSummary {
  CheckpointId id = 0;
  std::string path = {};  ///< empty: in memory
  std::int64_t took_ms = 0;
  std::uint64_t full_bytes = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t in_flight_bytes = 0;  ///< of those: records that barriers overtook
};

struct TaskStatus {
  std::string name = {};
  std::uint64_t records_in = 0;
  std::uint64_t records_out = 0;
  std::uint64_t busy_nanoseconds = 0;
  bool back_pressured = false;
};

/// A moment of a running job, for the status line.
struct JobReport {
  JobStatus status = JobStatus::created;
  Duration uptime{0};
  std::uint64_t records_in = 0;   ///< by all sources, since this attempt started
  std::uint64_t records_out = 0;  ///< into all sinks
  int restarts = 0;
  std::optional<CheckpointSummary> last_checkpoint = {};
  Duration since_checkpoint{0};
  std::vector<TaskStatus> tasks = {};
};

struct JobResult {
  JobStatus status = JobStatus::finished;
  std::optional<Error> error = {};  ///< of a failed job, or why a stop was not clean
  std::string resume_path =
      {};  ///< the newest complete snapshot that is left; empty if there is none
  bool stopped_cleanly = true;  ///< a suspended job: its final snapshot is complete
  Duration ran_for{0};
  int restarts = 0;
  std::uint64_t records_in = 0;
  std::uint64_t records_out = 0;
};

/// Hears what happens to a job. Called on the JobMaster's thread; must not block for long.
class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual void on_running() {}
  virtual void on_checkpoint_completed(const CheckpointSummary&) {}
  virtual void on_checkpoint_failed(CheckpointId, const Error&) {}
  virtual void on_savepoint_completed(const CheckpointSummary&) {}
  virtual void on_savepoint_failed(const Error&) {}
  /// `from`: the snapshot that it goes back to, `chk-7` of this run or a folder; or `the start`.
  virtual void on_restart(int /*restart*/, Duration /*delay*/, const Error&,
                          const std::string& /*from*/) {}
  /// The job itself asked to be stopped (`OperatorContext::stop_job`).
  virtual void on_stopping(const std::string& /*why*/) {}
  virtual void on_status(const JobReport&) {}
  /// The answer to `request_dump`: tasks, queues, barriers.
  virtual void on_dump(const std::string&) {}
  /// The last call.
  virtual void on_end(const JobResult&) = 0;
};

}  // namespace streamrun
