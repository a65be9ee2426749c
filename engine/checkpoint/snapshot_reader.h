#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <string>

namespace streamrun {

/// A complete snapshot that was found and whose metadata was read.
struct ResolvedSnapshot {
  std::string directory;  ///< absolute; state files with plain names lie in it
  CheckpointMetadata metadata;
  std::uint64_t full_bytes = 0;      ///< of all state
  std::uint64_t metadata_bytes = 0;  ///< of `_metadata` itself
  std::string warning;  ///< for a person, if another one was taken than was asked for; else empty
};

/// Reads the metadata `file` (which must be a regular file, not a link) of the snapshot in the
/// folder above it. E-META-CORRUPT also if the folder is called `chk-M` and holds another id.
/// Blocks.
Result<ResolvedSnapshot> read_snapshot_file(FileSystem& files, const std::string& file);

/// The same for `_metadata` in `folder`. E-META-MISSING if the folder is there without it, E-PATH
/// if it is not.
Result<ResolvedSnapshot> read_snapshot(FileSystem& files, const std::string& folder);

}  // namespace streamrun
