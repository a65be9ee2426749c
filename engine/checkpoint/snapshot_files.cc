#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/state/shared_file.h>

#include <set>
#include <string_view>

namespace streamrun {
namespace {

std::uint64_t inline_bytes(const OperatorSnapshot& snapshot) {
  std::uint64_t bytes = snapshot.coordinator_state.size();
  for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
    for_each_data(subtask, [&](const StateHandle& data) {
      if (!data.file) bytes += data.inline_bytes.size();
    });
    for (const OperatorListState& list : subtask.lists) {
      for (const std::string& element : list.elements) bytes += element.size();
    }
  }
  return bytes;
}

}  // namespace

std::vector<const StateFile*> files_of(const CheckpointMetadata& metadata) {
  std::vector<const StateFile*> files;
  std::set<std::string_view> seen;
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
      for_each_data(subtask, [&](const StateHandle& data) {
        if (data.file && seen.insert(data.file->path).second) files.push_back(&*data.file);
      });
    }
  }
  return files;
}

bool is_exclusive(const StateFile& file) {
  return !file.path.starts_with('/') && !is_shared(file);
}

bool is_shared(const StateFile& file) {
  return is_shared_path(file.path);
}

std::set<std::string> shared_names_of(const CheckpointMetadata& metadata) {
  std::set<std::string> names;
  for (const StateFile* file : files_of(metadata)) {
    if (is_shared(*file)) names.insert(shared_file_name(*file));
  }
  return names;
}

std::uint64_t inline_bytes(const CheckpointMetadata& metadata) {
  std::uint64_t bytes = 0;
  for (const OperatorSnapshot& snapshot : metadata.operators) bytes += inline_bytes(snapshot);
  return bytes;
}

std::uint64_t full_bytes(const CheckpointMetadata& metadata) {
  std::uint64_t bytes = inline_bytes(metadata);
  for (const StateFile* file : files_of(metadata)) bytes += file->length;
  return bytes;
}

std::uint64_t state_bytes(const OperatorSnapshot& snapshot) {
  std::uint64_t bytes = inline_bytes(snapshot);
  for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
    for_each_data(subtask, [&](const StateHandle& data) {
      if (data.file) bytes += data.file->length;
    });
  }
  return bytes;
}

}  // namespace streamrun
