#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// What the folders of checkpoints tell about other runs of a job. All block.

/// Who holds the job folder at `folder`, as its note says; nothing if nobody does, or if this user
/// may not look. E-LOCK if the store can't lock.
Result<std::optional<std::string>> holder_of(FileSystem& files, const std::string& folder);

/// Where the folders of jobs lie in which a snapshot of this path may have kin.
std::string root_beside(const std::string& snapshot_folder);

/// A warning for a run that would start from `snapshot` although one that goes back to the same
/// first start has ended by itself since: its output would come again. Looks under `roots` and
/// beside the snapshot; empty if nothing is seen.
std::string warning_of_finished_kin(FileSystem& files, const std::vector<std::string>& roots,
                                    const ResolvedSnapshot& snapshot, std::int64_t now_unix_ms);

/// Warnings, one for each run of the job `name` that is alive among the folders of the listing.
std::vector<std::string> warnings_of_living_runs(FileSystem& files, const SnapshotListing& listing,
                                                 const std::string& name);

}  // namespace streamrun
