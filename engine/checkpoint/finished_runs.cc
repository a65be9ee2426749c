#include <streamrun/base/assert.h>
#include <streamrun/base/crash_point.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/shared_files.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>

#include <algorithm>
#include <memory>

namespace streamrun {
namespace {

/// Whether the marker was written before all checkpoints were to be removed.
bool removes_checkpoints(const JobFolder& folder) {
  return folder.finished && folder.finished->job_id == folder.job_id &&
         folder.finished->last_checkpoint > 0;
}

/// Oldest first: what is left at any moment is never older than the last commit.
std::vector<std::string> left_below_marker(FileSystem& files, const std::string& job_folder) {
  std::vector<std::string> left;
  const Result<JobFolder> folder = list_job_folder(files, job_folder);
  if (!folder || !removes_checkpoints(*folder)) return left;
  for (const SnapshotEntry& entry : folder->entries) {
    const bool of_the_run = entry.status == SnapshotStatus::complete &&
                            entry.kind == SnapshotKind::checkpoint &&
                            entry.job_id == folder->job_id;
    if (of_the_run && entry.id <= folder->finished->last_checkpoint) left.push_back(entry.path);
  }
  std::reverse(left.begin(), left.end());
  return left;
}

/// A kill may have come between the last checkpoint and the files that it shared.
bool has_shared_leftovers(FileSystem& files, const std::string& job_folder) {
  const Result<JobFolder> folder = list_job_folder(files, job_folder);
  if (!folder || !removes_checkpoints(*folder)) return false;
  const Result<std::vector<FileStatus>> shared = files.list(join_path(job_folder, kSharedName));
  return shared && !shared->empty();
}

struct RunFolder {
  JobId job;
  std::string path;
};

/// The folders of the family's runs, but for `own`.
std::vector<RunFolder> runs_of(FileSystem& files, const std::string& root, const JobId& family,
                               const std::optional<JobId>& own) {
  std::vector<RunFolder> runs;
  const Result<std::vector<FileStatus>> listing = files.list(root);
  if (!listing) return runs;
  for (const FileStatus& status : *listing) {
    const auto job = job_id_of_name(base_name(status.path));
    const bool is_folder = status.kind == FileKind::directory && !status.is_link;
    if (!job || !is_folder || job == own) continue;
    if (is_of_family(files, status.path, family)) runs.push_back({*job, status.path});
  }
  return runs;
}

/// The folders of the family that may be cleaned; none while another run of it may be alive.
std::vector<std::string> dead_runs(FileSystem& files, const std::string& root, const JobId& family,
                                   const SparedRuns& spared) {
  std::vector<std::string> dead;
  for (const RunFolder& run : runs_of(files, root, family, spared.own)) {
    const auto holder = files.lock_holder(join_path(run.path, kLockName));
    if (!holder || *holder) return {};
    if (run.job != spared.restored_from) dead.push_back(run.path);
  }
  return dead;
}

}  // namespace

Result<bool> remove_checkpoint(FileSystem& files, const std::string& folder, const JobId& job) {
  const ResolvedSnapshot snapshot = SR_TRY(read_snapshot(files, folder));
  if (snapshot.metadata.job_id != job) {
    return Error{.code = ErrorCode::job_mismatch,
                 .message = "the checkpoint is of another job, " +
                            to_string(snapshot.metadata.job_id) + ", and stays",
                 .where = folder,
                 .retry = Retry::no};
  }
  SR_CRASH("gc.before-unmeta");
  SR_TRY(files.remove_file(join_path(folder, kMetadataName)));
  SR_TRY(files.sync_directory(folder));
  SR_CRASH("gc.after-unmeta");
  for (const StateFile* file : files_of(snapshot.metadata)) {
    if (!is_exclusive(*file)) continue;
    SR_ASSERT(is_state_file_name(file->path), "R3: only plain names inside a checkpoint's folder");
    const Result<bool> removed = files.remove_file(join_path(folder, file->path));
    if (!removed && removed.error().code != ErrorCode::path) return removed.error();
    SR_CRASH("gc.exclusive.mid");
  }
  return files.remove_directory(folder);
}

std::vector<std::string> remove_below_marker(FileSystem& files, const std::string& job_folder) {
  std::vector<std::string> removed;
  const Result<JobId> job = parse_job_id(base_name(job_folder));
  if (!job) return removed;
  for (const std::string& folder : left_below_marker(files, job_folder)) {
    if (!remove_checkpoint(files, folder, *job)) return removed;
    removed.push_back(folder);
  }
  if (!has_shared_leftovers(files, job_folder)) return removed;
  const Result<SharedLeftovers> shared = clean_shared_files(files, job_folder);
  if (shared) removed.insert(removed.end(), shared->removed.begin(), shared->removed.end());
  return removed;
}

std::vector<std::string> finish_removals(FileSystem& files, const std::string& root,
                                         const JobId& family, const SparedRuns& spared,
                                         std::string_view note) {
  std::vector<std::string> removed;
  for (const std::string& folder : dead_runs(files, root, family, spared)) {
    if (left_below_marker(files, folder).empty() && !has_shared_leftovers(files, folder)) continue;
    const Result<std::unique_ptr<FolderLock>> lock = files.lock(join_path(folder, kLockName), note);
    if (!lock) continue;
    // Looked at again: a run of the same job id may have come and gone before the lock.
    for (std::string& path : remove_below_marker(files, folder)) removed.push_back(std::move(path));
  }
  return removed;
}

std::vector<std::string> task_owned_folders(FileSystem& files, const std::string& root,
                                            const JobId& family, const JobId& own) {
  std::vector<std::string> folders;
  for (const RunFolder& run : runs_of(files, root, family, own)) {
    std::string folder = join_path(run.path, kTaskOwnedName);
    const Result<std::vector<FileStatus>> content = files.list(folder);
    if (content && !content->empty()) folders.push_back(std::move(folder));
  }
  return folders;
}

}  // namespace streamrun
