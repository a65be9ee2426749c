#pragma once

#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// A file, or the folder of a snapshot without `_metadata`, that nothing refers to.
struct Orphan {
  std::string path;
  std::uint64_t bytes = 0;  ///< of the files in it that are ours
};

/// What a dead run left in its folder: files of ours in `shared` that no complete snapshot of the
/// folder needs, and checkpoints that were never completed, all last written before
/// `before_unix_ms`. An error if a `_metadata` can't be read (R2). Blocks.
Result<std::vector<Orphan>> find_orphans(FileSystem& files, const std::string& job_folder,
                                         std::int64_t before_unix_ms);

/// Removes them, under the lock of the folder, which gets `note`: E-LOCK if the run lives. Of
/// unfinished checkpoints files with names of ours go, and the folder if that empties it. Returns
/// what is gone. Blocks.
Result<std::vector<Orphan>> remove_orphans(FileSystem& files, const std::string& job_folder,
                                           std::int64_t before_unix_ms, std::string_view note);

}  // namespace streamrun
