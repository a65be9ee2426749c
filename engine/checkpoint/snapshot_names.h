#pragma once

#include <streamrun/base/ids.h>

#include <optional>
#include <string>
#include <string_view>

namespace streamrun {

/// Names inside a folder of checkpoints. Readers and the writer agree on them here and nowhere
/// else.
constexpr std::string_view kMetadataName = "_metadata";
constexpr std::string_view kSharedName = "shared";
constexpr std::string_view kTaskOwnedName = "taskowned";
constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kJobFileName = ".job";
constexpr std::string_view kFinishedName = "finished";

/// `chk-7`.
std::string checkpoint_folder_name(CheckpointId id);
/// The id of `chk-7`; nothing for any other spelling (`chk-07`, `chk-`, `chk-7x`, above 2^53).
std::optional<CheckpointId> checkpoint_id_of_name(std::string_view name);
/// The job of a folder named with exactly 32 lower-case hex digits.
std::optional<JobId> job_id_of_name(std::string_view name);
/// `savepoint-<first 6 digits of the job>-`.
std::string savepoint_prefix(JobId job);
/// `savepoint-<first 6 digits of the job>-<12 digits of chance>`: `chance` has at least 12 digits.
std::string savepoint_folder_name(JobId job, std::string_view chance);

/// Whether the writer of a job gives such names to temporary files: `….tmp-…`.
bool is_temporary_name(std::string_view name);
/// Whether it is one plain name that a state file may have: no `/`, not hidden, not one of the
/// names above.
bool is_state_file_name(std::string_view name);
/// Whether the engine itself could have given it to a state file: 32 hex digits.
bool is_uuid_name(std::string_view name);

}  // namespace streamrun
