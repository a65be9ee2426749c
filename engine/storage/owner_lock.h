#pragma once

#include <streamrun/platform/process_table.h>
#include <streamrun/storage/file_system.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace streamrun {

/// `FileSystem::lock` for stores that have no locks which end with their holder: a file
/// `<path>-<epoch>` per holder, created exclusively, of which the highest counts (reliability: a
/// fencing token). Of a holder that lives on this machine the lock is not taken: E-LOCK. One that
/// is dead, or on a machine that can't be looked at, is overtaken: its `check` fails from then on.
/// So a run that is moved to another machine goes on at once, and one that was taken for dead
/// publishes nothing more. `store` and `processes` outlive the lock. Blocks.
Result<std::unique_ptr<FolderLock>> lock_by_owner_file(FileSystem& store,
                                                       const ProcessTable& processes,
                                                       const std::string& path,
                                                       std::string_view note);

/// `FileSystem::lock_holder` for such a lock: a holder elsewhere counts as alive. Blocks.
Result<std::optional<std::string>> holder_of_owner_file(FileSystem& store,
                                                        const ProcessTable& processes,
                                                        const std::string& path);

}  // namespace streamrun
