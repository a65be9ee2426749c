#include <streamrun/checkpoint/dispose_savepoint.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>

namespace streamrun {

Result<void> dispose_savepoint(FileSystem& files, const std::string& where) {
  const std::string folder = base_name(where) == kMetadataName ? parent_path(where) : where;
  const ResolvedSnapshot snapshot = SR_TRY(read_snapshot(files, folder));
  if (snapshot.metadata.kind != SnapshotKind::savepoint) {
    return Error{.code = ErrorCode::usage,
                 .message = "that is a checkpoint, which its job removes, not a savepoint",
                 .where = folder,
                 .retry = Retry::no};
  }
  SR_TRY(remove_checkpoint(files, folder, snapshot.metadata.job_id));
  return {};
}

}  // namespace streamrun
