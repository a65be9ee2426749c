#pragma once

#include <streamrun/state/state_file.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

namespace streamrun {

/// A reader of what a snapshot holds in blocks, inline or in a file; `data` outlives it, and
/// `file_system` is needed for files only. E-STATE-MISSING for a file that is not there,
/// E-STATE-CORRUPT for damage. Any thread; blocking.
Result<StateFileReader> open_state(const StateHandle& data, FileSystem* file_system);

}  // namespace streamrun
