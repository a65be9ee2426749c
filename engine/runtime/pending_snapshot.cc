#include <streamrun/runtime/pending_snapshot.h>

#include <algorithm>

namespace streamrun {

std::vector<std::string> files_of(const std::vector<OperatorSubtaskState>& states) {
  std::vector<std::string> files;
  for (const OperatorSubtaskState& state : states) {
    for_each_data(state, [&](const StateHandle& data) {
      if (data.file && data.file->path.find('/') == std::string::npos) {
        files.push_back(data.file->path);
      }
    });
  }
  return files;
}

std::vector<std::string> files_of(const PendingSnapshot& pending) {
  std::vector<std::string> files;
  for (const auto& [task, states] : pending.task_states) {
    const std::vector<std::string> of_task = files_of(states);
    files.insert(files.end(), of_task.begin(), of_task.end());
  }
  return files;
}

std::uint64_t bytes_of(const std::vector<OperatorSubtaskState>& states) {
  std::uint64_t bytes = 0;
  for (const OperatorSubtaskState& state : states) {
    for_each_data(state, [&](const StateHandle& data) { bytes += data.size(); });
    for (const OperatorListState& list : state.lists) {
      for (const std::string& element : list.elements) bytes += element.size();
    }
  }
  return bytes;
}

std::uint64_t in_flight_bytes_of(const std::vector<OperatorSubtaskState>& states) {
  std::uint64_t bytes = 0;
  for (const OperatorSubtaskState& state : states) {
    for (const InFlightHandle& handle : state.in_flight) bytes += handle.data.size();
  }
  return bytes;
}

CheckpointStatistics statistics_of(const PendingSnapshot& pending, std::size_t tasks) {
  CheckpointStatistics statistics{.id = pending.id,
                                  .kind = pending.kind,
                                  .triggered_unix_ms = pending.triggered_unix_ms,
                                  .acknowledged = static_cast<int>(pending.statistics.size()),
                                  .subtasks = static_cast<int>(tasks)};
  for (const auto& [op, state] : pending.enumerators) statistics.full_bytes += state.size();
  statistics.new_bytes = statistics.full_bytes;
  for (const auto& [task, subtask] : pending.statistics) {
    statistics.took_ms =
        std::max(statistics.took_ms, subtask.acknowledged_unix_ms - pending.triggered_unix_ms);
    statistics.full_bytes += subtask.full_bytes;
    statistics.new_bytes += subtask.new_bytes;
    statistics.in_flight_bytes += subtask.in_flight_bytes;
    statistics.by_subtask.push_back(subtask);
  }
  return statistics;
}

}  // namespace streamrun
