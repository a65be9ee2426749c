#pragma once

#include <streamrun/base/result.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>
#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/shared_files.h>
#include <streamrun/storage/file_system.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace streamrun {

/// Writes `_metadata` into a snapshot's folder, which makes the snapshot exist. On success it is
/// durable and visible. On E-STORE-FATAL it is in doubt: it could not be withdrawn, so nothing that
/// it refers to may be deleted and the job must end. On any other error it does not exist and never
/// will. What it refers to must be synced (names as well as bytes, but for names in the folder
/// itself and in `also_sync`, which are synced here). `lock`, if any, must still be held right
/// before it, else E-LOCK. Blocks.
Result<void> publish_snapshot(FileSystem& files, const std::string& folder,
                              const std::vector<std::string>& also_sync,
                              const CheckpointMetadata& metadata, FolderLock* lock = nullptr);

/// Makes the name of a complete snapshot durable (it may have been seen in a page cache only):
/// before anything is committed on the strength of it. `attempt` names the probe file. Blocks.
Result<void> make_durable(FileSystem& files, const std::string& folder, const std::string& attempt);

/// Makes the folder of a savepoint, and the one above it if that one's parent exists, durably.
/// `false`: the name is taken. Blocks.
Result<bool> begin_savepoint_folder(FileSystem& files, const std::string& folder);

/// Deletes what was made for a snapshot that will not complete, and its folder if that is then
/// empty: `files` are the exact names in it. E-BUG if it is complete after all. Blocks.
Result<void> abort_snapshot(FileSystem& files, const std::string& folder,
                            const std::vector<std::string>& names);

/// The folder of one job, `<root>/<job id>`, while this process runs the job (L5). Calls block: I/O
/// threads. Thread-safe, as long as no two calls are about the same checkpoint.
class CheckpointDirectory {
 public:
  struct Owner {
    JobFile job;
    std::string attempt;          ///< uuid of this run
    std::string lock_note;        ///< pid, host and since when, for whom E-LOCK meets
    bool resumes_itself = false;  ///< the run goes on from a snapshot of this job id
  };
  struct Leftovers {
    std::vector<std::string> removed;
    std::vector<std::string> kept;  ///< what was not ours by name, or could not be read or removed
    bool has_shared = false;        ///< there are files in `shared`, or may be
  };

  /// Makes the folder (the root too, if its parent exists) with `shared` and `taskowned`, durably,
  /// takes its lock (E-LOCK if another process has it) and records the job in `.job`, once. Where
  /// an earlier run of this id ended by itself, what it was killed at is finished
  /// (`remove_below_marker`), unless this run resumes one of its snapshots.
  static Result<std::unique_ptr<CheckpointDirectory>> open(FileSystem& files,
                                                           const std::string& root, Owner owner);

  const std::string& path() const { return path_; }
  std::string shared_path() const;
  std::string task_owned_path() const;
  std::string checkpoint_path(CheckpointId id) const;

  /// Makes `chk-<id>`, durably. `false`: the name is taken, take the next id (D3).
  Result<bool> begin(CheckpointId id);
  /// See `publish_snapshot`; the folder is that of `metadata.id`.
  Result<void> publish(const CheckpointMetadata& metadata);
  /// See `remove_checkpoint`: what the checkpoint shared stays, for `remove_shared`.
  Result<bool> remove(CheckpointId id);
  /// See `remove_shared_files`.
  Result<void> remove_shared(const std::set<std::string>& names);
  /// See `remove_shared_temporaries`: no task may be writing a checkpoint.
  Result<void> remove_shared_temporaries();
  /// `abort_snapshot` of a checkpoint. May be called again when more names come to light.
  Result<void> abort(CheckpointId id, const std::vector<std::string>& files);

  /// Records that the job ended by itself, durably; does nothing if that is recorded already.
  Result<void> mark_finished(const FinishedMarker& marker);

  /// The highest id of all `chk-*`, complete or not; 0 if there is none.
  Result<CheckpointId> highest_id_present();
  /// The ids of all `chk-*` with a `_metadata`, lowest first.
  Result<std::vector<CheckpointId>> complete_ids();
  /// The names in `shared` that complete checkpoints refer to, by their id; what else in the folder
  /// is a complete snapshot, under whatever name, counts as 0. An error if one of them can't be
  /// read.
  Result<std::map<CheckpointId, std::set<std::string>>> shared_names();
  /// All names of files in `shared`, whoever needs them.
  Result<std::set<std::string>> shared_names_present();
  /// Deletes what dead attempts left: temporary files, and checkpoints without `_metadata` which
  /// this object has not begun. In those only regular files with names of ours go (32 hex digits,
  /// `.….tmp-…`). Then `clean_shared`, which is told of by `shared` in `kept` if it could not.
  Result<Leftovers> clean_leftovers();
  /// See `clean_shared_files`: no task may be writing a checkpoint.
  Result<SharedLeftovers> clean_shared();

 private:
  CheckpointDirectory(FileSystem& files, std::string path, Owner owner);
  Result<void> prepare(const std::string& root);
  Result<void> record_job();
  Result<void> publish_once(std::string_view name, std::string_view bytes);
  void clean_dead_checkpoint(const std::string& folder, Leftovers& leftovers);
  void clean_file(const std::string& path, Leftovers& leftovers);
  bool was_begun(CheckpointId id);
  void forget(CheckpointId id);

  FileSystem& files_;
  const std::string path_;
  const Owner owner_;
  std::unique_ptr<FolderLock> lock_;
  std::mutex mutex_;
  Leftovers of_finished_run_;     // removed by `open`, not yet told
  std::set<CheckpointId> begun_;  // guarded by mutex_: not garbage, though not complete
};

}  // namespace streamrun
