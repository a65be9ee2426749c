#include <streamrun/runtime/pending_snapshot.h>

namespace streamrun {

std::vector<std::string> files_of(const std::vector<OperatorSubtaskState>& states) {
  std::vector<std::string> files;
  for (const OperatorSubtaskState& state : states) {
    for (const KeyedStateHandle& handle : state.keyed) {
      if (handle.data.file && handle.data.file->path.find('/') == std::string::npos) {
        files.push_back(handle.data.file->path);
      }
    }
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

}  // namespace streamrun
