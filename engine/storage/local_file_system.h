#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>

namespace streamrun {

/// The machine's own disks, through POSIX calls: directories are 0750, files 0640, less the umask.
std::unique_ptr<FileSystem> make_local_file_system();

}  // namespace streamrun
