#pragma once

#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <string>

namespace streamrun {

/// Deletes the savepoint `where`, a folder or its `_metadata`: `_metadata` first and durably, then
/// the files that it names, then the folder, which stays if anything else lies in it. E-USAGE for a
/// checkpoint: those belong to their job. `where` is an absolute path of this store. Blocks.
Result<void> dispose_savepoint(FileSystem& files, const std::string& where);

}  // namespace streamrun
