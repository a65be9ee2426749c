#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace streamrun {

/// The small JSON files of a job's folder. Each has a limit of 64 KiB and tolerates fields that it
/// does not know.

/// `.job`: whose folder this is, written once when the run starts.
struct JobFile {
  JobId job_id;
  JobId family_id;  ///< job id of the first start that this run goes back to
  std::string job_name;
  std::int64_t started_unix_ms = 0;
  bool operator==(const JobFile&) const = default;
};

/// `finished`: the job ended by itself, so there is nothing left to do.
struct FinishedMarker {
  JobId job_id;
  std::string job_name;
  /// The newest that was completed, if the run's checkpoints go with it; else 0.
  CheckpointId last_checkpoint = 0;
  /// The newest snapshot of any kind that was completed, whatever stays; 0 for none.
  CheckpointId last_snapshot = 0;
  std::int64_t finished_unix_ms = 0;
  /// Empty: it ended by itself. Else it was stopped with this savepoint, wherever that lies, which
  /// has committed more than any checkpoint.
  std::string savepoint = {};
  bool operator==(const FinishedMarker&) const = default;
};

constexpr std::uint64_t kSmallFileLimitBytes = 64U << 10U;

std::string encode(const JobFile& file);
std::string encode(const FinishedMarker& marker);
/// E-META-CORRUPT for anything else than what `encode` writes, plus unknown fields.
Result<JobFile> decode_job_file(std::string_view bytes);
Result<FinishedMarker> decode_finished_marker(std::string_view bytes);

/// What `.job` in this folder says; false if it can't be read. Blocks.
bool is_of_family(FileSystem& files, const std::string& job_folder, const JobId& family);

}  // namespace streamrun
