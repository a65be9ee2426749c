#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>
#include <streamrun/storage/file_system.h>

#include <string>
#include <vector>

namespace streamrun {

/// Everything that is wrong with the files that the snapshot in `directory` refers to, one error a
/// file: E-STATE-MISSING, E-STATE-CORRUPT (not a regular file, another length; with `read_data`
/// also the offset of the first bad MiB), or what kept it from being looked at, such as E-PERM.
/// With `read_data` it reads all bytes. Blocks.
std::vector<Error> find_damage(FileSystem& files, const std::string& directory,
                               const CheckpointMetadata& metadata, bool read_data);

/// The same, stopping at the first one.
Result<void> verify_files(FileSystem& files, const std::string& directory,
                          const CheckpointMetadata& metadata, bool read_data);

/// Where a state file lies, absolute: plain names and shared ones are relative to the snapshot's
/// folder.
std::string state_file_path(const std::string& directory, const StateFile& file);

}  // namespace streamrun
