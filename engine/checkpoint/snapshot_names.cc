#include <streamrun/base/assert.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace streamrun {
namespace {

constexpr std::string_view kCheckpointPrefix = "chk-";
constexpr std::size_t kChanceDigits = 12;
constexpr std::size_t kJobDigits = 6;
constexpr CheckpointId kHighestId = (CheckpointId{1} << 53) - 1;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string checkpoint_folder_name(CheckpointId id) {
  return std::string(kCheckpointPrefix) + std::to_string(id);
}

std::optional<CheckpointId> checkpoint_id_of_name(std::string_view name) {
  if (!name.starts_with(kCheckpointPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kCheckpointPrefix.size());
  if (digits.empty() || digits.front() < '1' || digits.front() > '9') return std::nullopt;
  CheckpointId id = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (id > kHighestId) return std::nullopt;
  return id;
}

std::optional<JobId> job_id_of_name(std::string_view name) {
  if (!is_uuid_name(name)) return std::nullopt;
  const Result<JobId> id = parse_job_id(name);
  if (!id) return std::nullopt;
  return *id;
}

std::string savepoint_prefix(JobId job) {
  return "savepoint-" + to_string(job).substr(0, kJobDigits) + "-";
}

std::string savepoint_folder_name(JobId job, std::string_view chance) {
  SR_ASSERT(chance.size() >= kChanceDigits, "a savepoint's name needs 12 digits of chance");
  return savepoint_prefix(job) + std::string(chance.substr(0, kChanceDigits));
}

bool is_temporary_name(std::string_view name) {
  return name.starts_with('.') && name.find(".tmp-", 1) != std::string_view::npos;
}

bool is_state_file_name(std::string_view name) {
  constexpr std::array<std::string_view, 4> kTaken = {kMetadataName, kSharedName, kTaskOwnedName,
                                                      kFinishedName};
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos &&
         std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end();
}

bool is_uuid_name(std::string_view name) {
  return name.size() == 32 && std::all_of(name.begin(), name.end(), is_lower_hex);
}

}  // namespace streamrun
