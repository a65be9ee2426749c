#include "sim/sim_file_system.h"

#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/state/shared_file.h>

#include <utility>

namespace streamrun::sim {
namespace {

Error dead(const std::string& path) {
  return {.code = ErrorCode::store_io, .message = "the process was killed", .where = path};
}

Error injected(ErrorCode code, std::string_view what, const std::string& path) {
  return {.code = code,
          .message = "cannot " + std::string(what),
          .where = path,
          .why = "a simulated fault"};
}

}  // namespace

class SimFileSystem::Writer final : public WritableFile {
 public:
  Writer(SimFileSystem& owner, std::unique_ptr<WritableFile> file, std::string path)
      : owner_(owner), file_(std::move(file)), path_(std::move(path)) {}
  Result<void> append(std::string_view bytes) override {
    SR_TRY(owner_.before_change("append", path_));
    return file_->append(bytes);
  }
  Result<void> sync() override {
    SR_TRY(owner_.before_change("sync", path_));
    if (owner_.mutant_ == Mutant::no_file_sync) return {};
    if (owner_.is_put_off(path_)) {
      owner_.put_off_[path_] = file_;
      return {};
    }
    Result<void> synced = file_->sync();
    if (owner_.mutant_ == Mutant::swallows_sync_errors) return {};
    return synced;
  }
  Result<void> close() override {
    SR_TRY(owner_.before_change("close", path_));
    if (owner_.is_put_off(path_)) return {};
    return file_->close();
  }

 private:
  SimFileSystem& owner_;
  std::shared_ptr<WritableFile> file_;  // with those of the owner whose sync was put off
  std::string path_;
};

class SimFileSystem::Reader final : public ReadableFile {
 public:
  Reader(SimFileSystem& owner, std::unique_ptr<ReadableFile> file, std::string path)
      : owner_(owner), file_(std::move(file)), path_(std::move(path)) {}
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    SR_TRY(owner_.before_read(path_));
    return file_->read_at(offset, into, length);
  }
  std::uint64_t size() const override { return file_->size(); }

 private:
  SimFileSystem& owner_;
  std::unique_ptr<ReadableFile> file_;
  std::string path_;
};

/// Dies, fails, or lets the step go on. A step that is to fail does so in the store, which knows
/// how: an append after half of its bytes, a sync with its pages marked clean.
Result<void> SimFileSystem::before_change(std::string_view what, const std::string& path) {
  SR_TRY(live_on(what, path));
  if (faults_.may_fail(what, path) && tape_.one_in(faults_.write_error_one_in))
    let_next_step_fail(what, path);
  return {};
}

Result<void> SimFileSystem::live_on(std::string_view what, const std::string& path) {
  if (!faults_.is_dead) faults_.pause();
  if (faults_.is_dead) return dead(path);
  trace_.fold(what);
  trace_.fold(path);
  if (faults_.steps_to_death && (*faults_.steps_to_death)-- == 0) {
    faults_.is_dead = true;
    faults_.die();
    return dead(path);
  }
  return {};
}

void SimFileSystem::let_next_step_fail(std::string_view what, const std::string& path) {
  ++faults_.write_errors;
  const bool is_sync = what == "sync" || what == "sync_directory";
  const ErrorCode code = is_sync        ? ErrorCode::store_fsync
                         : tape_.flip() ? ErrorCode::store_full
                                        : ErrorCode::store_io;
  store_.fail_call(store_.steps() + 1, injected(code, what, path));
}

bool SimFileSystem::is_put_off(const std::string& path) const {
  const std::string name = base_name(path);
  return mutant_ == Mutant::metadata_before_state && path.starts_with(kCheckpointRoot) &&
         (is_uuid_name(name) || is_shared_temporary_name(name));
}

/// Once the metadata is there, and durable.
Result<void> SimFileSystem::sync_what_was_put_off(const std::string& folder) {
  if (put_off_.empty() || !store_.status(join_path(folder, kMetadataName))) return {};
  for (auto file = put_off_.begin(); file != put_off_.end();) {
    const std::string of_file = parent_path(file->first);
    if (of_file != folder && of_file != join_path(parent_path(folder), kSharedName)) {
      ++file;
      continue;
    }
    SR_TRY(live_on("sync", file->first));
    SR_TRY(file->second->sync());
    file = put_off_.erase(file);
  }
  return {};
}

Result<void> SimFileSystem::before_read(const std::string& path) {
  if (!faults_.is_dead) faults_.pause();
  if (faults_.is_dead) return dead(path);
  if (!tape_.one_in(faults_.read_error_one_in)) return {};
  ++faults_.read_errors;
  return injected(ErrorCode::store_io, "read", path);
}

Result<FileStatus> SimFileSystem::status(const std::string& path) {
  SR_TRY(before_read(path));
  return store_.status(path);
}

Result<std::vector<FileStatus>> SimFileSystem::list(const std::string& directory) {
  SR_TRY(before_read(directory));
  return store_.list(directory);
}

Result<std::unique_ptr<ReadableFile>> SimFileSystem::open(const std::string& path) {
  SR_TRY(before_read(path));
  auto file = SR_TRY(store_.open(path));
  return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(*this, std::move(file), path));
}

Result<std::unique_ptr<ReadableFile>> SimFileSystem::open_no_follow(const std::string& path) {
  return open(path);
}

Result<std::unique_ptr<WritableFile>> SimFileSystem::create(const std::string& path) {
  SR_TRY(before_change("create", path));
  auto file = SR_TRY(store_.create(path));
  return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(file), path));
}

Result<bool> SimFileSystem::create_directory(const std::string& path) {
  SR_TRY(before_change("create_directory", path));
  const bool created = SR_TRY(store_.create_directory(path));
  if (created) oracle_.created_directory(path);
  return created;
}

Result<bool> SimFileSystem::rename_no_replace(const std::string& from, const std::string& to) {
  SR_TRY(before_change("rename", from));
  const Result<bool> renamed = store_.rename_no_replace(from, to);
  if (renamed && *renamed) oracle_.renamed(from, to);
  if (mutant_ == Mutant::accepts_failed_renames) return true;
  return renamed;
}

Result<bool> SimFileSystem::remove_file(const std::string& path) {
  SR_TRY(before_change("remove_file", path));
  const bool removed = SR_TRY(store_.remove_file(path));
  if (removed) oracle_.removed(path);
  return removed;
}

Result<bool> SimFileSystem::remove_directory(const std::string& path) {
  SR_TRY(before_change("remove_directory", path));
  return store_.remove_directory(path);
}

Result<void> SimFileSystem::sync_directory(const std::string& path) {
  SR_TRY(before_change("sync_directory", path));
  if (mutant_ != Mutant::no_directory_sync) SR_TRY(store_.sync_directory(path));
  oracle_.synced_directory(path);
  return sync_what_was_put_off(path);
}

/// What it removes is seen, and may fail, as any other file's removal.
class SimFileSystem::Lock final : public FolderLock {
 public:
  Lock(SimFileSystem& store, std::string path, std::unique_ptr<FolderLock> lock)
      : store_(store), path_(std::move(path)), lock_(std::move(lock)) {}
  Result<void> remove_file() override {
    SR_TRY(store_.remove_file(path_));
    return {};
  }

 private:
  SimFileSystem& store_;
  const std::string path_;
  const std::unique_ptr<FolderLock> lock_;
};

Result<std::unique_ptr<FolderLock>> SimFileSystem::lock(const std::string& path,
                                                        std::string_view note) {
  SR_TRY(before_change("lock", path));
  std::unique_ptr<FolderLock> lock = SR_TRY(store_.lock(path, note));
  return std::unique_ptr<FolderLock>(std::make_unique<Lock>(*this, path, std::move(lock)));
}

Result<std::optional<std::string>> SimFileSystem::lock_holder(const std::string& path) {
  SR_TRY(before_read(path));
  return store_.lock_holder(path);
}

}  // namespace streamrun::sim
