#include <streamrun/api/checkpoint_settings.h>
#include <streamrun/config/values.h>

#include <type_traits>

namespace streamrun {
namespace {

using Configuration = std::vector<std::pair<std::string, std::string>>;

std::string text_of(CheckpointSettings::Duration value) {
  if (value < CheckpointSettings::Duration(0)) {
    throw_error({.code = ErrorCode::config,
                 .message = "the job's code sets a negative duration for its checkpoints",
                 .retry = Retry::no});
  }
  return format_duration(value);
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(int value) {
  return std::to_string(value);
}
std::string text_of(MemorySize value) {
  return format_memory_size(value.bytes);
}
std::string text_of(const std::string& value) {
  return value;
}
template <typename E>
requires std::is_enum_v<E> std::string text_of(E value) {
  for (const Choice<E>& choice : Choices<E>::list) {
    if (choice.value == value) return std::string(choice.name);
  }
  SR_ASSERT(false, "every value of an enum has a text");
  return {};
}

template <typename T, typename V>
void add(Configuration& to, const ConfigOption<T>& option, const std::optional<V>& value) {
  if (value) to.emplace_back(option.key, text_of(*value));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> CheckpointSettings::as_configuration() const {
  Configuration all;
  add(all, options::kCheckpointInterval, interval);
  add(all, options::kCheckpointingMode, mode);
  add(all, options::kCheckpointTimeout, timeout);
  add(all, options::kCheckpointMinPause, min_pause);
  add(all, options::kMaxConcurrentCheckpoints, max_concurrent_checkpoints);
  add(all, options::kTolerableFailedCheckpoints, tolerable_failed_checkpoints);
  add(all, options::kCheckpointRetention, externalized_checkpoint_retention);
  add(all, options::kPreferCheckpointForRecovery, prefer_checkpoint_for_recovery);
  add(all, options::kUnalignedCheckpoints, unaligned);
  add(all, options::kAlignedCheckpointTimeout, aligned_checkpoint_timeout);
  add(all, options::kCheckpointsAfterTasksFinish, checkpoints_after_tasks_finish);
  add(all, options::kIncrementalCheckpoints, incremental);
  add(all, options::kSnapshotCompression, snapshot_compression);
  add(all, options::kDataInlineThreshold, data_inline_threshold);
  add(all, options::kCheckpointStorage, storage);
  add(all, options::kCheckpointDirectory, dir);
  add(all, options::kSavepointDirectory, savepoint_dir);
  add(all, options::kRetainedCheckpoints, num_retained);
  return all;
}

std::vector<std::pair<std::string, std::string>> StateBackendSettings::as_configuration() const {
  Configuration all;
  add(all, options::kStateBackend, std::optional(type));
  add(all, options::kCheckpointDirectory, checkpoint_dir);
  if (checkpoint_dir)
    add(all, options::kCheckpointStorage, std::optional(CheckpointStorageType::filesystem));
  add(all, options::kIncrementalCheckpoints, incremental);
  return all;
}

}  // namespace streamrun
