#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <string>

namespace streamrun {

/// A snapshot that is not there may have been published, found not durable and taken back by the
/// process that died, which could not make that durable either: a power cut brings it back. What is
/// taken for absent is made so for good first.

/// Of all snapshots in a job's folder. Blocks.
Result<void> make_absence_durable(FileSystem& files, const std::string& job_folder);

/// Of those above `id` in the folders of one family below `root`: before a run goes on from
/// snapshot `id`, which would be older than one that came back. Costs a sync for each folder of a
/// checkpoint that was begun and not completed. Blocks.
Result<void> make_newer_absence_durable(FileSystem& files, const std::string& root,
                                        const JobId& family, CheckpointId id);

}  // namespace streamrun
