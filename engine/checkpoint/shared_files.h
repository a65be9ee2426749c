#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace streamrun {

/// The files in `shared` of a job's folder: who needs them, and their end. All calls block.

/// The names in `shared` that each complete snapshot directly under the job's folder needs, by the
/// snapshot's folder, whatever that is called. An error if one of them can't be read: what it needs
/// is not known then (R2).
Result<std::map<std::string, std::set<std::string>>> shared_names_in_use(
    FileSystem& files, const std::string& job_folder);

/// Files of ours in `shared`, temporary ones too, that no complete snapshot of the folder needs.
/// The same error.
Result<std::vector<FileStatus>> unneeded_shared_files(FileSystem& files,
                                                      const std::string& job_folder);

/// Removes these files from `shared`, then makes that durable. The caller knows that nobody needs
/// them and that the removal of those who did is durable. Those that could not be removed stay, for
/// a later clean-up; the first such error is returned.
Result<void> remove_shared_files(FileSystem& files, const std::string& job_folder,
                                 const std::set<std::string>& names);

/// Removes what writers left that never gave a file its name, without a look at who needs what. The
/// caller holds the folder's lock, and nothing writes a checkpoint there.
Result<void> remove_shared_temporaries(FileSystem& files, const std::string& job_folder);

struct SharedLeftovers {
  bool some_in_use = false;  ///< there are files that a complete snapshot refers to
  std::vector<std::string> removed;
  std::vector<std::string> kept;  ///< of ours and without use, but could not be removed
};

/// Removes what no complete snapshot of the folder refers to, and temporary files: names of ours
/// only, regular files only. Nothing if a `_metadata` can't be read (R2), which is the error. The
/// caller holds the folder's lock, and nothing writes a checkpoint there.
Result<SharedLeftovers> clean_shared_files(FileSystem& files, const std::string& job_folder);

}  // namespace streamrun
