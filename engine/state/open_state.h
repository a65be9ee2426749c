#pragma once

#include <streamrun/state/state_file.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

#include <functional>
#include <memory>
#include <string_view>

namespace streamrun {

/// A reader of what a snapshot holds in blocks, inline or in a file; `data` outlives it, and
/// `file_system` is needed for files only. E-STATE-MISSING for a file that is not there,
/// E-STATE-CORRUPT for damage, E-JOB-MISMATCH for a file of RocksDB. Any thread; blocking.
Result<StateFileReader> open_state(const StateHandle& data, FileSystem* file_system);

/// The file alone, its length compared with what the checkpoint recorded; its bytes are not looked
/// at. Its path is absolute. The same errors.
Result<std::shared_ptr<ReadableFile>> open_state_file(const StateFile& file,
                                                      FileSystem* file_system);

/// All of the file, MiB by MiB, each compared with the checksum that the checkpoint recorded before
/// `use` gets it. The same errors.
Result<void> read_checked(const StateFile& file, FileSystem* file_system,
                          const std::function<Result<void>(std::string_view bytes)>& use);

}  // namespace streamrun
