#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/operators/sink_operator.h>
#include <streamrun/runtime/family.h>

namespace streamrun {
namespace {

/// A snapshot that is not there may have been published, found not durable and taken back by the
/// process that died, which could not make that durable either: a power cut brings it back. What is
/// taken for absent is made so for good first.
void make_absence_durable(FileSystem& files, const JobFolder& folder) {
  for (const SnapshotEntry& entry : folder.entries) {
    if (entry.status == SnapshotStatus::unfinished)
      value_or_throw(files.sync_directory(entry.path));
  }
  value_or_throw(files.sync_directory(folder.path));
}

void add_committables(const CheckpointMetadata& metadata, const OperatorId& op,
                      std::vector<std::string>& found) {
  for (const OperatorSnapshot& each : metadata.operators) {
    if (each.id != op) continue;
    for (const OperatorSubtaskState& subtask : each.subtasks) {
      for (const OperatorListState& list : subtask.lists) {
        if (list.name == kCommittablesState)
          found.insert(found.end(), list.elements.begin(), list.elements.end());
      }
    }
  }
}

bool can_not_be_restored(ErrorCode code) {
  return code == ErrorCode::path || code == ErrorCode::metadata_missing ||
         code == ErrorCode::metadata_corrupt || code == ErrorCode::metadata_limit ||
         code == ErrorCode::metadata_version;
}

}  // namespace

RunFate run_fate(FileSystem& files, const std::string& root, const JobId& job, const JobId& family,
                 const std::string& job_name) {
  const std::string folder = join_path(root, to_string(job));
  const Result<JobFolder> listed = list_job_folder(files, folder);
  if (!listed || !listed->job) return RunFate::unknown;
  const bool same_family = listed->job->family_id == family;
  bool has_snapshot = listed->finished.has_value();
  for (const SnapshotEntry& entry : listed->entries)
    has_snapshot |= entry.status != SnapshotStatus::unfinished;
  if (!same_family && (has_snapshot || listed->job_name() != job_name)) return RunFate::stranger;
  const auto holder = files.lock_holder(join_path(folder, kLockName));
  if (!holder) return RunFate::unknown;
  return *holder ? RunFate::alive : RunFate::dead;
}

std::vector<std::string> committables_in(FileSystem& files, const std::string& root,
                                         const JobId& job, const OperatorId& op) {
  std::vector<std::string> found;
  const JobFolder folder = value_or_throw(list_job_folder(files, join_path(root, to_string(job))));
  make_absence_durable(files, folder);
  for (const SnapshotEntry& entry : folder.entries) {
    if (entry.status == SnapshotStatus::damaged) throw_error(*entry.damage);
    if (entry.status != SnapshotStatus::complete) continue;
    add_committables(value_or_throw(read_snapshot(files, entry.path)).metadata, op, found);
  }
  return found;
}

std::vector<std::string> committables_in_savepoint(FileSystem& files, const std::string& folder,
                                                   const JobId& job, const OperatorId& op) {
  std::vector<std::string> found;
  const Result<ResolvedSnapshot> snapshot = read_snapshot(files, folder);
  if (!snapshot && !can_not_be_restored(snapshot.error().code)) throw_error(snapshot.error());
  if (snapshot && snapshot->metadata.job_id == job) add_committables(snapshot->metadata, op, found);
  return found;
}

std::vector<std::string> committables_in_savepoints(FileSystem& files, const std::string& root,
                                                    const JobId& job, const OperatorId& op) {
  std::vector<std::string> found;
  const Result<std::vector<FileStatus>> content = files.list(root);
  if (!content && content.error().code == ErrorCode::path) return found;
  const std::string prefix = savepoint_prefix(job);
  for (const FileStatus& entry : value_or_throw(content)) {
    if (entry.kind != FileKind::directory || !base_name(entry.path).starts_with(prefix)) continue;
    const auto more = committables_in_savepoint(files, entry.path, job, op);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

}  // namespace streamrun
