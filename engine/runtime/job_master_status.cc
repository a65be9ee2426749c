// What a running job tells of itself.
#include <streamrun/runtime/job_master.h>

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

void JobMaster::report_status() {
  JobReport report;
  const Instant now = environment_.clock.now();
  const bool running = phase_ == Phase::running && announced_running_;
  report.status = running                     ? JobStatus::running
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

}  // namespace streamrun
