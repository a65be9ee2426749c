#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Deletes a completed checkpoint of `job`: `_metadata` first and durably, then the files of its
/// folder that it names, then the folder. `false`: something else lies there, which stays, and with
/// it the folder. Files in `shared` are not touched: see `shared_files.h`. A `_metadata` that can't
/// be read, or is of another job, is an error and deletes nothing (R2, R3). The caller holds the
/// lock of the job's folder. Blocks.
Result<bool> remove_checkpoint(FileSystem& files, const std::string& folder, const JobId& job);

/// A job that ends by itself writes its `finished` marker and then removes its checkpoints; a kill
/// between the two leaves some of them. This removes those up to the marker's last one, oldest
/// first, then shared files that nobody needs any more, and returns what it removed. Nothing
/// without a marker that can be read; stops at what can't be removed. The caller holds the lock of
/// the job's folder. Blocks.
std::vector<std::string> remove_below_marker(FileSystem& files, const std::string& job_folder);

/// Whose folders are not to be cleaned by `finish_removals`.
struct SparedRuns {
  std::optional<JobId> own;            ///< of the caller, who holds its lock
  std::optional<JobId> restored_from;  ///< wrote the snapshot that the caller resumes
};

/// `remove_below_marker` for all ended runs of one family under `root`, each under its lock, which
/// gets `note`. While any other run of the family is alive, or may be, it does nothing: that one
/// may have been resumed from what would go. Returns the removed folders. Blocks.
std::vector<std::string> finish_removals(FileSystem& files, const std::string& root,
                                         const JobId& family, const SparedRuns& spared,
                                         std::string_view note);

/// The `taskowned` folders of other runs of the family under `root` in which there is something.
/// Whether those runs are dead is not asked. Blocks.
std::vector<std::string> task_owned_folders(FileSystem& files, const std::string& root,
                                            const JobId& family, const JobId& own);

}  // namespace streamrun
