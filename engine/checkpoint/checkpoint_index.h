#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/storage/file_system.h>

#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// The reading side of folders of checkpoints: reads names, `_metadata`, and the small files of a
/// job; no state.

enum class SnapshotStatus {
  complete,
  unfinished,  ///< no `_metadata`: being written, or its process ended
  damaged,     ///< there is a `_metadata`, but it can't be read or is not what it should be
};

/// What a list shows of one snapshot. All below `status` is from `_metadata`: set for complete ones
/// only, but for `id`, which is that of the folder's name, and `job_id`, which is that of the job's
/// folder.
struct SnapshotEntry {
  std::string path;
  SnapshotStatus status = SnapshotStatus::unfinished;
  CheckpointId id = 0;
  JobId job_id;
  SnapshotKind kind = SnapshotKind::checkpoint;
  bool incremental = false;  ///< refers to files outside its own folder
  std::string job_name;
  std::string registered_name;
  JobId family_id;
  std::string version;
  std::string restored_from;
  int parallelism = 0;
  int max_parallelism = 0;  ///< the largest of its operators
  int operators = 0;
  std::int64_t triggered_unix_ms = 0;
  std::int64_t completed_unix_ms = 0;
  std::uint64_t full_bytes = 0;
  std::uint64_t new_bytes = 0;  ///< less what the checkpoint before it in the same folder has too
  std::uint64_t metadata_bytes = 0;
  std::optional<Error> damage;  ///< of a damaged one

  std::int64_t took_ms() const { return completed_unix_ms - triggered_unix_ms; }
};

/// One job's folder: `<root>/<job id>`.
struct JobFolder {
  std::string path;
  JobId job_id;
  std::optional<JobFile> job;              ///< none if `.job` is missing or damaged
  std::optional<FinishedMarker> finished;  ///< the job ended by itself
  std::vector<SnapshotEntry> entries;      ///< by id, highest first

  /// From `.job`, else from a complete checkpoint; empty if neither tells.
  std::string job_name() const;
};

struct SnapshotListing {
  std::vector<SnapshotEntry> entries;  ///< of all folders, newest first
  std::vector<JobFolder>
      folders;                  ///< the jobs' folders, by path; their entries are also in `entries`
  std::vector<Error> problems;  ///< folders that could not be read
};

/// E-PATH if the folder is not there. Blocks, as do all below.
Result<JobFolder> list_job_folder(FileSystem& files, const std::string& folder);

/// All jobs' folders and savepoints directly under `root`. Newest first means: in one run by id,
/// over runs by completion time, then id. A folder that can't be read becomes a problem, not an
/// error.
Result<SnapshotListing> list_all(FileSystem& files, const std::string& root);

/// Merges lists that are newest first into one; savepoints go to their runs.
std::vector<SnapshotEntry> merge_newest_first(std::vector<std::vector<SnapshotEntry>> parts);

/// What `-s latest` of a job comes to.
struct NewestComplete {
  std::optional<SnapshotEntry> entry;
  /// The job's newest run ended by itself after everything that is left of it: there is nothing
  /// left to do.
  std::optional<FinishedMarker> finished;
  std::string warning;  ///< of `fallback`, when damaged ones were passed over
};

/// The newest complete checkpoint or savepoint of the job named `job_name` under the roots; a root
/// that is not there holds none. If a newer one is damaged, its error (never an older one unasked),
/// unless `fallback`.
Result<NewestComplete> newest_complete(FileSystem& files, const std::vector<std::string>& roots,
                                       const std::string& job_name, bool fallback);

}  // namespace streamrun
