#include <streamrun/base/assert.h>
#include <streamrun/base/crash_point.h>
#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/finished_runs.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/state/shared_file.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

/// Gone with its folder is gone too.
Result<bool> remove_file_if_there(FileSystem& files, const std::string& path) {
  Result<bool> removed = files.remove_file(path);
  if (!removed && removed.error().code == ErrorCode::path) return false;
  return removed;
}

/// Makes one folder whose parent must exist, durably. `false` if it was there.
Result<bool> create_folder(FileSystem& files, const std::string& path) {
  const bool is_new = SR_TRY(files.create_directory(path));
  // A name that is there already may have been seen in the page cache only.
  SR_TRY(files.sync_directory(parent_path(path)));
  return is_new;
}

/// After a failed publish: makes sure that no `_metadata` is there or will be after a power cut.
Error withdraw(FileSystem& files, const std::string& folder, const std::string& attempt,
               Error cause) {
  if (cause.code == ErrorCode::store_fatal) return cause;
  const std::string name(kMetadataName);
  const Result<bool> removed = remove_file_if_there(files, join_path(folder, name));
  const bool was_visible = !removed || *removed;
  Result<void> synced;
  if (removed && was_visible) synced = files.sync_directory(folder);
  if (removed && synced) {
    // Only tidiness: the name is ours and hidden, and a later start removes it.
    static_cast<void>(
        files.remove_file(join_path(folder, "." + name + ".tmp-" + attempt)).has_value());
    return cause;
  }
  const Error& second = removed ? synced.error() : removed.error();
  return Error{.code = ErrorCode::store_fatal,
               .message =
                   "a checkpoint is in doubt: it was not confirmed to be durable, and could "
                   "not be withdrawn",
               .where = folder,
               .why = cause.headline() + "; then " + second.headline(),
               .retry = Retry::no};
}

/// D2 holds before the name is there: the bytes can be read, and what they refer to is present.
Result<std::string> encoded_and_checked(FileSystem& files, const std::string& folder,
                                        const CheckpointMetadata& metadata) {
  SR_TRY(check_structure(metadata));
  std::string bytes = encode(metadata);
  SR_TRY(decode(bytes));
  SR_TRY(verify_files(files, folder, metadata, false));
  return bytes;
}

/// Plain names inside a snapshot's own folder only (R3).
Result<void> remove_names(FileSystem& files, const std::string& folder,
                          const std::vector<std::string>& names,
                          [[maybe_unused]] const char* crash_mark) {
  for (const std::string& name : names) {
    SR_ASSERT(is_state_file_name(name), "R3: only plain names inside a checkpoint's own folder");
    SR_TRY(remove_file_if_there(files, join_path(folder, name)));
    SR_CRASH(crash_mark);
  }
  return {};
}

}  // namespace

Result<void> publish_snapshot(FileSystem& files, const std::string& folder,
                              const std::vector<std::string>& also_sync,
                              const CheckpointMetadata& metadata, FolderLock* lock) {
  const std::string bytes = SR_TRY(encoded_and_checked(files, folder, metadata));
  SR_CRASH("cp.dir.before-fsync");
  SR_TRY(files.sync_directory(folder));
  for (const std::string& other : also_sync) SR_TRY(files.sync_directory(other));
  // As late as can be: all that stands above takes its time on a slow store.
  if (lock != nullptr) SR_TRY(lock->check());
  Result<bool> published =
      files.publish(folder, std::string(kMetadataName), bytes, metadata.attempt);
  if (!published) return withdraw(files, folder, metadata.attempt, std::move(published).error());
  if (!*published) {
    return Error{.code = ErrorCode::lock,
                 .message = "somebody else has published this checkpoint",
                 .where = folder,
                 .retry = Retry::no};
  }
  return {};
}

Result<void> make_durable(FileSystem& files, const std::string& folder,
                          const std::string& attempt) {
  const std::string probe = join_path(folder, ".probe.tmp-" + attempt);
  {
    const std::unique_ptr<WritableFile> file = SR_TRY(files.create(probe));
    SR_TRY(file->close());
  }
  SR_TRY(files.remove_file(probe));
  return files.sync_directory(folder);
}

Result<bool> begin_savepoint_folder(FileSystem& files, const std::string& folder) {
  SR_TRY(create_folder(files, parent_path(folder)));
  return create_folder(files, folder);
}

Result<void> abort_snapshot(FileSystem& files, const std::string& folder,
                            const std::vector<std::string>& names) {
  if (SR_TRY(files.exists(join_path(folder, kMetadataName)))) {
    return Error{.code = ErrorCode::bug,
                 .message = "a complete checkpoint is not to be aborted",
                 .where = folder,
                 .retry = Retry::no};
  }
  SR_TRY(remove_names(files, folder, names, "abort.cleanup.mid"));
  Result<bool> removed = files.remove_directory(folder);
  if (!removed && removed.error().code != ErrorCode::path) return std::move(removed).error();
  return {};
}

CheckpointDirectory::CheckpointDirectory(FileSystem& files, std::string path, Owner owner)
    : files_(files), path_(std::move(path)), owner_(std::move(owner)) {}

Result<std::unique_ptr<CheckpointDirectory>> CheckpointDirectory::open(FileSystem& files,
                                                                       const std::string& root,
                                                                       Owner owner) {
  std::string path = join_path(root, to_string(owner.job.job_id));
  std::unique_ptr<CheckpointDirectory> directory(
      new CheckpointDirectory(files, std::move(path), std::move(owner)));
  SR_TRY(directory->prepare(root));
  return directory;
}

Result<void> CheckpointDirectory::prepare(const std::string& root) {
  SR_TRY(create_folder(files_, root));
  SR_TRY(create_folder(files_, path_));
  lock_ = SR_TRY(files_.lock(join_path(path_, kLockName), owner_.lock_note));
  SR_CRASH("rs.lock.taken");
  // An earlier run with the same id may have ended by itself; this one has not.
  const bool ended_before = SR_TRY(files_.exists(join_path(path_, kFinishedName)));
  if (ended_before && !owner_.resumes_itself)
    of_finished_run_.removed = remove_below_marker(files_, path_);
  SR_TRY(files_.remove_file(join_path(path_, kFinishedName)));
  SR_TRY(files_.create_directory(shared_path()));
  SR_TRY(files_.create_directory(task_owned_path()));
  SR_TRY(files_.sync_directory(path_));
  return record_job();
}

Result<void> CheckpointDirectory::record_job() {
  return publish_once(kJobFileName, encode(owner_.job));
}

/// A name that is taken has been written by an earlier call or run of the same job, and stays.
Result<void> CheckpointDirectory::publish_once(std::string_view name, std::string_view bytes) {
  if (SR_TRY(files_.exists(join_path(path_, name)))) return {};
  SR_TRY(files_.publish(path_, std::string(name), bytes, owner_.attempt));
  return {};
}

std::string CheckpointDirectory::shared_path() const {
  return join_path(path_, kSharedName);
}

std::string CheckpointDirectory::task_owned_path() const {
  return join_path(path_, kTaskOwnedName);
}

std::string CheckpointDirectory::checkpoint_path(CheckpointId id) const {
  return join_path(path_, checkpoint_folder_name(id));
}

Result<bool> CheckpointDirectory::begin(CheckpointId id) {
  {
    const std::lock_guard guard(mutex_);
    begun_.insert(id);
  }
  if (SR_TRY(files_.create_directory(checkpoint_path(id)))) {
    SR_TRY(files_.sync_directory(path_));
    return true;
  }
  forget(id);
  return false;
}

Result<void> CheckpointDirectory::publish(const CheckpointMetadata& metadata) {
  SR_ASSERT(metadata.job_id == owner_.job.job_id, "a checkpoint goes into its own job's folder");
  SR_ASSERT(was_begun(metadata.id), "D3: a checkpoint is published into the folder begun for it");
  SR_TRY(publish_snapshot(files_, checkpoint_path(metadata.id), {shared_path()}, metadata,
                          lock_.get()));
  SR_CRASH("cp.meta.after-dirsync");
  // Who was overtaken meanwhile must not commit: the other run began from an older checkpoint. That
  // it can't be told now is no reason: the checkpoint is there.
  if (Result<void> held = lock_->check(); !held && held.error().code == ErrorCode::lock)
    return held;
  return {};
}

Result<bool> CheckpointDirectory::remove(CheckpointId id) {
  SR_TRY(lock_->check());
  const bool removed = SR_TRY(remove_checkpoint(files_, checkpoint_path(id), owner_.job.job_id));
  forget(id);
  return removed;
}

Result<void> CheckpointDirectory::remove_shared(const std::set<std::string>& names) {
  SR_TRY(lock_->check());
  return remove_shared_files(files_, path_, names);
}

Result<void> CheckpointDirectory::remove_shared_temporaries() {
  SR_TRY(lock_->check());
  return streamrun::remove_shared_temporaries(files_, path_);
}

Result<void> CheckpointDirectory::abort(CheckpointId id, const std::vector<std::string>& files) {
  SR_TRY(abort_snapshot(files_, checkpoint_path(id), files));
  forget(id);
  return {};
}

Result<void> CheckpointDirectory::mark_finished(const FinishedMarker& marker) {
  return publish_once(kFinishedName, encode(marker));
}

Result<CheckpointId> CheckpointDirectory::highest_id_present() {
  CheckpointId highest = 0;
  for (const FileStatus& entry : SR_TRY(files_.list(path_))) {
    highest = std::max(highest, checkpoint_id_of_name(base_name(entry.path)).value_or(0));
  }
  return highest;
}

Result<std::vector<CheckpointId>> CheckpointDirectory::complete_ids() {
  std::vector<CheckpointId> ids;
  for (const FileStatus& entry : SR_TRY(files_.list(path_))) {
    const auto id = checkpoint_id_of_name(base_name(entry.path));
    if (!id || entry.kind != FileKind::directory || entry.is_link) continue;
    if (SR_TRY(files_.exists(join_path(entry.path, kMetadataName)))) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<std::map<CheckpointId, std::set<std::string>>> CheckpointDirectory::shared_names() {
  std::map<CheckpointId, std::set<std::string>> by_id;
  for (auto& [folder, names] : SR_TRY(shared_names_in_use(files_, path_))) {
    by_id[checkpoint_id_of_name(base_name(folder)).value_or(0)].insert(names.begin(), names.end());
  }
  return by_id;
}

Result<std::set<std::string>> CheckpointDirectory::shared_names_present() {
  std::set<std::string> names;
  for (const FileStatus& file : SR_TRY(files_.list(shared_path()))) {
    std::string name = base_name(file.path);
    if (is_shared_file_name(name)) names.insert(std::move(name));
  }
  return names;
}

Result<SharedLeftovers> CheckpointDirectory::clean_shared() {
  SR_TRY(lock_->check());
  return clean_shared_files(files_, path_);
}

Result<CheckpointDirectory::Leftovers> CheckpointDirectory::clean_leftovers() {
  Leftovers leftovers = std::exchange(of_finished_run_, {});
  for (const FileStatus& entry : SR_TRY(files_.list(path_))) {
    const std::string name = base_name(entry.path);
    const bool is_plain_file = entry.kind == FileKind::file && !entry.is_link;
    if (is_plain_file && is_temporary_name(name)) clean_file(entry.path, leftovers);
    const auto id = checkpoint_id_of_name(name);
    if (!id || entry.kind != FileKind::directory || entry.is_link || was_begun(*id)) continue;
    clean_dead_checkpoint(entry.path, leftovers);
  }
  Result<SharedLeftovers> shared = clean_shared();
  leftovers.has_shared = !shared || shared->some_in_use || !shared->kept.empty();
  if (!shared) {
    leftovers.kept.push_back(shared_path());
    return leftovers;
  }
  const auto move_all = [](std::vector<std::string>& from, std::vector<std::string>& to) {
    for (std::string& path : from) to.push_back(std::move(path));
  };
  move_all(shared->removed, leftovers.removed);
  move_all(shared->kept, leftovers.kept);
  return leftovers;
}

/// In a complete checkpoint only temporary files go; in one without `_metadata` also state files,
/// then the folder.
void CheckpointDirectory::clean_dead_checkpoint(const std::string& folder, Leftovers& leftovers) {
  const Result<std::vector<FileStatus>> content = files_.list(folder);
  if (!content) {
    leftovers.kept.push_back(folder);
    return;
  }
  bool complete = false;
  for (const FileStatus& entry : *content) complete |= base_name(entry.path) == kMetadataName;
  for (const FileStatus& entry : *content) {
    const std::string name = base_name(entry.path);
    const bool is_plain_file = entry.kind == FileKind::file && !entry.is_link;
    const bool ours = is_temporary_name(name) || (!complete && is_uuid_name(name));
    if (is_plain_file && ours) clean_file(entry.path, leftovers);
  }
  if (complete) return;
  const Result<bool> removed = files_.remove_directory(folder);
  (removed && *removed ? leftovers.removed : leftovers.kept).push_back(folder);
}

void CheckpointDirectory::clean_file(const std::string& path, Leftovers& leftovers) {
  const Result<bool> removed = files_.remove_file(path);
  (removed ? leftovers.removed : leftovers.kept).push_back(path);
}

void CheckpointDirectory::forget(CheckpointId id) {
  const std::lock_guard guard(mutex_);
  begun_.erase(id);
}

bool CheckpointDirectory::was_begun(CheckpointId id) {
  const std::lock_guard guard(mutex_);
  return begun_.contains(id);
}

}  // namespace streamrun
