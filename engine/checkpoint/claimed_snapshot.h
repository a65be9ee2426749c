#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/base/result.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/storage/file_system.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace streamrun {

/// A snapshot that another run wrote and this run owns from now on (Flink's claim mode CLAIM): it
/// is removed as if it were a checkpoint of this run. While the object lives nobody else can claim
/// it, and the run that wrote it can't be resumed under its own id. All calls block, the destructor
/// too; any thread, one at a time.
class ClaimedSnapshot {
 public:
  /// E-LOCK if the run that wrote it is alive or another one has claimed it, E-PATH if it is gone.
  /// `note` is for whoever meets the lock.
  static Result<std::unique_ptr<ClaimedSnapshot>> open(FileSystem& files,
                                                       const ResolvedSnapshot& snapshot,
                                                       std::string_view note);
  ~ClaimedSnapshot();
  ClaimedSnapshot(const ClaimedSnapshot&) = delete;
  ClaimedSnapshot& operator=(const ClaimedSnapshot&) = delete;

  CheckpointId id() const { return id_; }
  const std::string& folder() const { return folder_; }
  /// The folder whose lock is held: of the run that wrote it, or the snapshot's own.
  std::string locked_folder() const { return parent_path(lock_path_); }

  /// `_metadata` first and durably, then the files that nobody else needs, then the folder.
  /// `false`: something that is not ours lies in the folder, which stays with it. What cannot be
  /// known to be needed by nobody stays (R2).
  Result<bool> remove();

 private:
  ClaimedSnapshot(FileSystem& files, const ResolvedSnapshot& snapshot);
  Result<void> remove_lock_file();
  Result<void> remove_shared();

  FileSystem& files_;
  const std::string folder_;
  const CheckpointId id_;
  const JobId job_;
  const std::set<std::string> shared_;  ///< names beside the folder that it needs
  std::string lock_path_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace streamrun
