#include <streamrun/checkpoint/absent_snapshots.h>
#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <optional>
#include <vector>

namespace streamrun {
namespace {

bool is_folder(const FileStatus& entry) {
  return entry.kind == FileKind::directory && !entry.is_link;
}

Result<void> make_newer_absence_durable_in(FileSystem& files, const std::string& job_folder,
                                           CheckpointId id) {
  for (const FileStatus& entry : SR_TRY(files.list(job_folder))) {
    const std::optional<CheckpointId> its_id = checkpoint_id_of_name(base_name(entry.path));
    if (!its_id || *its_id <= id || !is_folder(entry)) continue;
    if (SR_TRY(files.exists(join_path(entry.path, kMetadataName)))) continue;
    SR_TRY(files.sync_directory(entry.path));
  }
  return {};
}

}  // namespace

Result<void> make_absence_durable(FileSystem& files, const std::string& job_folder) {
  for (const FileStatus& entry : SR_TRY(files.list(job_folder))) {
    if (!checkpoint_id_of_name(base_name(entry.path)) || !is_folder(entry)) continue;
    SR_TRY(files.sync_directory(entry.path));
  }
  return files.sync_directory(job_folder);
}

Result<void> make_newer_absence_durable(FileSystem& files, const std::string& root,
                                        const JobId& family, CheckpointId id) {
  const Result<std::vector<FileStatus>> listing = files.list(root);
  if (!listing && listing.error().code == ErrorCode::path) return {};
  if (!listing) return listing.error();
  for (const FileStatus& status : *listing) {
    if (!job_id_of_name(base_name(status.path)) || !is_folder(status)) continue;
    if (!is_of_family(files, status.path, family)) continue;
    SR_TRY(make_newer_absence_durable_in(files, status.path, id));
  }
  return {};
}

}  // namespace streamrun
