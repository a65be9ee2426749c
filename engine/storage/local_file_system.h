#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>

namespace streamrun {

/// The machine's own disks, through POSIX calls: directories are 0750, files 0640, less the umask.
std::unique_ptr<FileSystem> make_local_file_system();

/// Whether files could be made in `folder`, which need not be there if it could be created with
/// those above it. Changes nothing, so a full disk is not seen. E-PATH for what is not a folder,
/// E-PERM, E-STORE-RO. Blocks.
Result<void> check_local_output(const std::string& folder);

}  // namespace streamrun
