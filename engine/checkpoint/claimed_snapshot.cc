#include <streamrun/checkpoint/absent_snapshots.h>
#include <streamrun/checkpoint/claimed_snapshot.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/shared_files.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <utility>

namespace streamrun {

namespace {

Error not_claimed(Error error, const std::string& folder) {
  if (error.code != ErrorCode::lock) return error;
  error.why = "its run is alive, or another one has claimed it: " + error.message;
  error.message = "the snapshot can't be claimed";
  error.where = folder;
  error.tries = {"streamrun run -claimMode NO_CLAIM -s " + folder};
  return error;
}

}  // namespace

ClaimedSnapshot::ClaimedSnapshot(FileSystem& files, const ResolvedSnapshot& snapshot)
    : files_(files),
      folder_(snapshot.directory),
      id_(snapshot.metadata.id),
      job_(snapshot.metadata.job_id),
      shared_(shared_names_of(snapshot.metadata)) {}

Result<std::unique_ptr<ClaimedSnapshot>> ClaimedSnapshot::open(FileSystem& files,
                                                               const ResolvedSnapshot& snapshot,
                                                               std::string_view note) {
  std::unique_ptr<ClaimedSnapshot> claimed(new ClaimedSnapshot(files, snapshot));
  // The lock of a run's folder keeps its other checkpoints from being removed meanwhile. A
  // savepoint, and a checkpoint that was moved out of such a folder, has none above it.
  const std::string above = parent_path(claimed->folder_);
  const bool is_of_run = SR_TRY(files.exists(join_path(above, kJobFileName)));
  claimed->lock_path_ = join_path(is_of_run ? above : claimed->folder_, kLockName);
  Result<std::unique_ptr<FolderLock>> lock = files.lock(claimed->lock_path_, note);
  if (!lock) return not_claimed(std::move(lock).error(), claimed->folder_);
  claimed->lock_ = *std::move(lock);
  if (!SR_TRY(files.exists(join_path(claimed->folder_, kMetadataName)))) {
    return Error{.code = ErrorCode::path,
                 .message = "the snapshot to be claimed has been removed meanwhile",
                 .where = claimed->folder_,
                 .retry = Retry::no};
  }
  return claimed;
}

ClaimedSnapshot::~ClaimedSnapshot() {
  // Only tidiness: a lock file that nobody holds keeps nobody out.
  if (lock_ != nullptr) static_cast<void>(remove_lock_file().has_value());
}

/// In a folder of the snapshot's own it was made by `open`; while it is still locked, so that
/// nobody else has it.
Result<void> ClaimedSnapshot::remove_lock_file() {
  if (parent_path(lock_path_) != folder_) return {};
  Result<void> removed = lock_->remove_file();
  if (!removed && removed.error().code != ErrorCode::path) return removed;
  return {};
}

Result<void> ClaimedSnapshot::remove_shared() {
  if (shared_.empty()) return {};
  const std::string above = parent_path(folder_);
  std::set<std::string> unneeded = shared_;
  for (const auto& [snapshot, names] : SR_TRY(shared_names_in_use(files_, above))) {
    for (const std::string& name : names) unneeded.erase(name);
  }
  if (unneeded.empty()) return {};
  SR_TRY(make_absence_durable(files_, above));
  return remove_shared_files(files_, above, unneeded);
}

Result<bool> ClaimedSnapshot::remove() {
  if (lock_ != nullptr) SR_TRY(lock_->check());
  bool is_gone = SR_TRY(remove_checkpoint(files_, folder_, job_));
  if (!is_gone) {
    SR_TRY(remove_lock_file());
    is_gone = SR_TRY(files_.remove_directory(folder_));
  }
  SR_TRY(remove_shared());
  return is_gone;
}

}  // namespace streamrun
