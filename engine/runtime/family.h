#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/stream/operator_context.h>

#include <string>
#include <vector>

namespace streamrun {

/// Whose leftovers a sink has found (`reliability.md` calls it the family of runs): looks at the
/// other run's folder under `root`. Its lock is free only when its process is gone. Blocking.
RunFate run_fate(FileSystem& files, const std::string& root, const JobId& job, const JobId& family,
                 const std::string& job_name);

/// The committables of one operator in all complete snapshots of a run. A snapshot that can't be
/// read makes this throw: unreadable is not garbage (R2). Blocking.
std::vector<std::string> committables_in(FileSystem& files, const std::string& root,
                                         const JobId& job, const OperatorId& op);

/// The same for one savepoint, and for all that lie directly under `root`, as far as they are of
/// that run. One that is gone, incomplete or damaged can't be restored and holds none; one that
/// can't be read for now makes this throw. Blocking.
std::vector<std::string> committables_in_savepoint(FileSystem& files, const std::string& folder,
                                                   const JobId& job, const OperatorId& op);
std::vector<std::string> committables_in_savepoints(FileSystem& files, const std::string& root,
                                                    const JobId& job, const OperatorId& op);

}  // namespace streamrun
