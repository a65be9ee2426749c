#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/storage/file_system.h>

#include <string>

namespace streamrun {

/// Finds the snapshot that a person means by `-s where`: a `chk-N` or savepoint folder, its
/// `_metadata`, any other file (the folder is the one above it), or a job's folder (the newest in
/// it). `where` is an absolute path of this store. Errors: E-PATH, E-META-MISSING, E-META-CORRUPT,
/// …; where complete ones of the same job exist, `tries` name them, newest first. Never takes
/// another one than was asked for, and does not look at state files. Blocks.
Result<ResolvedSnapshot> resolve_snapshot(FileSystem& files, const std::string& where);

/// The same, then `verify_files`; if what was asked for is damaged, unfinished or misses files, the
/// newest good one of the same job's folder, with a warning that says so. The first error if there
/// is none. Blocks.
Result<ResolvedSnapshot> resolve_with_fallback(FileSystem& files, const std::string& where,
                                               bool read_data);

}  // namespace streamrun
