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
    case JobStatus::cancelling:
      return "CANCELLING";
    case JobStatus::canceled:
      return "CANCELED";
    case JobStatus::finished:
      return "FINISHED";
    case JobStatus::suspended:
      return "SUSPENDED";
    case JobStatus::failed:
      return "FAILED";
  }
  return "?";
}

JobStatus JobMaster::status() const {
  switch (phase_) {
    case Phase::opening:
    case Phase::recovering:
      return JobStatus::initializing;
    case Phase::running:
      return announced_running_ ? JobStatus::running : JobStatus::initializing;
    case Phase::waiting:
      return JobStatus::restarting;
    case Phase::draining:
    case Phase::closing:
      if (goal_ == Goal::cancel) return JobStatus::cancelling;
      if (goal_ == Goal::suspend)
        return result_.stopped_cleanly ? JobStatus::running : JobStatus::failing;
      return goal_ == Goal::finish || goal_ == Goal::stop ? JobStatus::running : JobStatus::failing;
    case Phase::ended:
      return result_.status;
  }
  return JobStatus::created;
}

JobReport JobMaster::report() const {
  JobReport report;
  const Instant now = environment_.clock.now();
  report.status = status();
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
  return report;
}

void JobMaster::report_status() {
  listener_.on_status(report());
}

JobOverview JobMaster::overview() const {
  JobOverview overview{.id = spec_.id,
                       .name = spec_.name,
                       .status = status(),
                       .started_unix_ms = started_unix_ms_,
                       .last_change_unix_ms = last_change_unix_ms_,
                       .report = report()};
  const char* const state = phase_ == Phase::running      ? "running"
                            : phase_ == Phase::recovering ? "initializing"
                            : phase_ == Phase::draining   ? "canceling"
                                                          : "created";
  for (const JobVertex& vertex : spec_.graph.vertices) {
    for (int subtask = 0; subtask < vertex.parallelism; ++subtask)
      overview.tasks.push_back({.vertex = vertex.name, .subtask = subtask, .state = state});
  }
  return overview;
}

}  // namespace streamrun
