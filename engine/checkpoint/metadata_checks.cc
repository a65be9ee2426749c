#include <streamrun/base/key_groups.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/state/shared_file.h>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "metadata_layout.h"

namespace streamrun {
namespace {

constexpr std::uint64_t kTotalBytesLimit = 1ULL << 60U;

Error damaged(std::string what) {
  return {.code = ErrorCode::metadata_corrupt,
          .message = "the checkpoint metadata is damaged: " + std::move(what),
          .retry = Retry::no};
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

/// `%2e`, `%2f`, `%5c` and `%00` would be dots, slashes and an end of text for whoever decodes
/// them.
bool has_coded_separator(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    std::string code(path.substr(at + 1, 2));
    for (char& c : code) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (code == "2e" || code == "2f" || code == "5c" || code == "00") return true;
  }
  return false;
}

bool has_control_character(std::string_view path) {
  return std::any_of(path.begin(), path.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20U; });
}

bool is_normal_absolute(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.size() > 4096) return false;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = end + 1;
  }
  return true;
}

bool is_good_path(std::string_view path) {
  if (has_control_character(path) || has_coded_separator(path)) return false;
  if (is_shared_path(path)) return true;
  return path.starts_with('/') ? is_normal_absolute(path) : is_state_file_name(path);
}

Result<void> check_file(const StateFile& file) {
  const auto bad = [&](std::string_view what) {
    return damaged(fmt::format("file \"{:.200}\": {}", file.path, what));
  };
  if (!is_good_path(file.path)) {
    return bad("the path is neither a plain name, nor of a shared file, nor absolute and normal");
  }
  if (file.length > kNumberLimit) return bad("the length is too large");
  const std::uint64_t blocks = (file.length + kChecksumBlockBytes - 1) / kChecksumBlockBytes;
  if (file.crc32c.size() != blocks) {
    return bad(fmt::format("{} checksums for {} blocks", file.crc32c.size(), blocks));
  }
  if (!is_uuid_name(file.xxh3)) return bad("xxh3 is not 32 hex digits");
  // R6: one name, one content.
  const bool misnamed =
      is_shared(file) && file.path.substr(kSharedPrefix.size()) != shared_file_name(file);
  if (misnamed) return bad("a shared file's name is not that of its content");
  return {};
}

Result<void> check_sst(const SstFile& sst, const KeyedStateHandle& handle) {
  const auto bad = [](const std::string& what) { return damaged("sst: " + what); };
  if (static_cast<std::size_t>(sst.state) >= handle.states.size() || sst.state < 0) {
    return bad(fmt::format("there is no state {}", sst.state));
  }
  const KeyGroupRange range = sst.key_groups;
  if (range.last < range.first || !handle.key_groups.contains(range.first) ||
      !handle.key_groups.contains(range.last)) {
    return bad(fmt::format("key groups {} to {}", range.first, range.last));
  }
  constexpr int kMostLevels = 64;
  if (sst.level < 0 || sst.level >= kMostLevels) return bad(fmt::format("level {}", sst.level));
  if (sst.largest_sequence > kNumberLimit || sst.smallest_sequence > sst.largest_sequence) {
    return bad(
        fmt::format("sequence numbers {} to {}", sst.smallest_sequence, sst.largest_sequence));
  }
  return {};
}

Result<void> check_keyed_handle(const KeyedStateHandle& handle, int max_parallelism) {
  const KeyGroupRange range = handle.key_groups;
  if (range.first < 0 || range.last < range.first || range.last >= max_parallelism) {
    return damaged(
        fmt::format("key groups {} to {} of {}", range.first, range.last, max_parallelism));
  }
  if (handle.entries > kNumberLimit) return damaged("the number of entries is too large");
  std::set<std::string_view> names;
  for (const StateDescription& state : handle.states) {
    if (!names.insert(state.name).second) {
      return damaged(fmt::format("the state \"{:.60}\" stands twice", state.name));
    }
  }
  if (handle.pieces.empty()) return damaged("keyed state without a piece");
  const bool has_ssts = handle.pieces.front().sst.has_value();
  for (const StateHandle& piece : handle.pieces) {
    if (piece.file) SR_TRY(check_file(*piece.file));
    if (piece.sst.has_value() != has_ssts) return damaged("an sst among pieces that are none");
    if (piece.sst) SR_TRY(check_sst(*piece.sst, handle));
  }
  return {};
}

/// The handles of one subtask are a partition of its own key groups (S3).
Result<void> check_key_groups(const OperatorSubtaskState& subtask, KeyGroupRange own) {
  std::vector<KeyGroupRange> ranges;
  for (const KeyedStateHandle& handle : subtask.keyed) ranges.push_back(handle.key_groups);
  std::sort(ranges.begin(), ranges.end(),
            [](KeyGroupRange a, KeyGroupRange b) { return a.first < b.first; });
  int next = own.first;
  for (const KeyGroupRange range : ranges) {
    if (range.first < next) {
      return damaged(fmt::format("key group {} stands twice or is another subtask's", range.first));
    }
    if (range.first > next) return damaged(fmt::format("key group {} is missing", next));
    next = range.last + 1;
  }
  if (next <= own.last) return damaged(fmt::format("key group {} is missing", next));
  if (next > own.last + 1) {
    return damaged(fmt::format("key group {} is another subtask's", own.last + 1));
  }
  return {};
}

Result<void> check_subtask(const OperatorSubtaskState& subtask, int max_parallelism) {
  for (const KeyedStateHandle& handle : subtask.keyed) {
    SR_TRY(check_keyed_handle(handle, max_parallelism));
  }
  for (const InFlightHandle& handle : subtask.in_flight) {
    if (handle.records > kNumberLimit) return damaged("the number of records is too large");
    if (handle.data.file) SR_TRY(check_file(*handle.data.file));
  }
  std::set<std::string_view> names;
  for (const OperatorListState& list : subtask.lists) {
    if (!names.insert(list.name).second) {
      return damaged(fmt::format("the list \"{:.60}\" stands twice", list.name));
    }
  }
  return {};
}

Result<void> check_subtasks(const OperatorSnapshot& snapshot) {
  const auto has_keyed = [](const OperatorSubtaskState& subtask) { return !subtask.keyed.empty(); };
  const bool keyed = std::any_of(snapshot.subtasks.begin(), snapshot.subtasks.end(), has_keyed);
  for (int index = 0; index < snapshot.parallelism; ++index) {
    const OperatorSubtaskState& subtask = snapshot.subtasks[static_cast<std::size_t>(index)];
    SR_TRY(check_subtask(subtask, snapshot.max_parallelism));
    if (!keyed) continue;
    SR_TRY(check_key_groups(
        subtask, key_group_range_of(index, snapshot.parallelism, snapshot.max_parallelism)));
  }
  return {};
}

Result<void> check_operator(const OperatorSnapshot& snapshot) {
  if (snapshot.max_parallelism < 1 || snapshot.max_parallelism > kMaxParallelismLimit) {
    return damaged(fmt::format("max parallelism {}", snapshot.max_parallelism));
  }
  if (snapshot.parallelism < 1 || snapshot.parallelism > snapshot.max_parallelism) {
    return damaged(fmt::format("parallelism {} of at most {}", snapshot.parallelism,
                               snapshot.max_parallelism));
  }
  if (snapshot.subtasks.size() != static_cast<std::size_t>(snapshot.parallelism)) {
    return damaged(fmt::format("{} subtasks at parallelism {}", snapshot.subtasks.size(),
                               snapshot.parallelism));
  }
  return check_subtasks(snapshot);
}

/// A path means one file: every state that names it must say the same of it, and the sum must be a
/// number.
Result<void> check_files_together(const CheckpointMetadata& metadata) {
  std::uint64_t total = 0;
  for (const StateFile* file : files_of(metadata)) {
    if (metadata.kind == SnapshotKind::savepoint && is_shared(*file)) {  // R5
      return damaged(fmt::format("a savepoint refers to the shared file \"{:.200}\"", file->path));
    }
    total += file->length;
    if (total > kTotalBytesLimit) return damaged("the files together are too long");
  }
  return {};
}

Result<void> check_head(const CheckpointMetadata& metadata) {
  if (metadata.id < 1 || metadata.id > static_cast<CheckpointId>(kNumberLimit)) {
    return damaged(fmt::format("checkpoint id {}", metadata.id));
  }
  if (!is_word(metadata.attempt)) return damaged("the attempt is no word of letters and digits");
  if (metadata.parallelism < 1 || metadata.parallelism > kMaxParallelismLimit) {
    return damaged(fmt::format("parallelism {}", metadata.parallelism));
  }
  return {};
}

}  // namespace

Result<void> check_structure(const CheckpointMetadata& metadata) {
  SR_TRY(check_head(metadata));
  std::set<OperatorId> ids;
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    if (!ids.insert(snapshot.id).second) {
      return damaged("operator " + to_string(snapshot.id) + " stands twice");
    }
    if (Result<void> checked = check_operator(snapshot); !checked) {
      Error error = std::move(checked).error();
      error.message +=
          fmt::format(", operator {} \"{:.60}\"", to_string(snapshot.id), snapshot.name);
      return error;
    }
  }
  return check_files_together(metadata);
}

}  // namespace streamrun
