#include <streamrun/checkpoint/absent_snapshots.h>
#include <streamrun/checkpoint/orphans.h>
#include <streamrun/checkpoint/shared_files.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

bool is_file_of_ours(const FileStatus& file) {
  const std::string name = base_name(file.path);
  return file.kind == FileKind::file && !file.is_link &&
         (is_uuid_name(name) || is_temporary_name(name));
}

/// Adds the folder of a checkpoint if it was never completed and nothing in it is young.
Result<void> look_at_checkpoint(FileSystem& files, const FileStatus& folder,
                                std::int64_t before_unix_ms, std::vector<Orphan>& orphans) {
  Orphan orphan{.path = folder.path};
  std::int64_t last_written = folder.modified_unix_milliseconds;
  for (const FileStatus& file : SR_TRY(files.list(folder.path))) {
    if (base_name(file.path) == kMetadataName) return {};
    last_written = std::max(last_written, file.modified_unix_milliseconds);
    if (is_file_of_ours(file)) orphan.bytes += file.size;
  }
  if (last_written < before_unix_ms) orphans.push_back(std::move(orphan));
  return {};
}

/// False: something that is not ours is in it, and stays.
Result<bool> remove_checkpoint_folder(FileSystem& files, const std::string& folder) {
  for (const FileStatus& file : SR_TRY(files.list(folder))) {
    if (is_file_of_ours(file)) SR_TRY(files.remove_file(file.path));
  }
  return files.remove_directory(folder);
}

}  // namespace

Result<std::vector<Orphan>> find_orphans(FileSystem& files, const std::string& job_folder,
                                         std::int64_t before_unix_ms) {
  std::vector<Orphan> orphans;
  for (const FileStatus& entry : SR_TRY(files.list(job_folder))) {
    const bool is_checkpoint = checkpoint_id_of_name(base_name(entry.path)).has_value();
    if (!is_checkpoint || entry.kind != FileKind::directory || entry.is_link) continue;
    SR_TRY(look_at_checkpoint(files, entry, before_unix_ms, orphans));
  }
  for (const FileStatus& file : SR_TRY(unneeded_shared_files(files, job_folder))) {
    if (file.modified_unix_milliseconds < before_unix_ms)
      orphans.push_back({.path = file.path, .bytes = file.size});
  }
  return orphans;
}

Result<std::vector<Orphan>> remove_orphans(FileSystem& files, const std::string& job_folder,
                                           std::int64_t before_unix_ms, std::string_view note) {
  const auto lock = SR_TRY(files.lock(join_path(job_folder, kLockName), note));
  std::vector<Orphan> orphans = SR_TRY(find_orphans(files, job_folder, before_unix_ms));
  std::vector<Orphan> removed;
  if (orphans.empty()) return removed;
  SR_TRY(make_absence_durable(files, job_folder));
  const std::string shared = join_path(job_folder, kSharedName);
  for (Orphan& orphan : orphans) {
    const bool is_shared = parent_path(orphan.path) == shared;
    const bool is_gone = SR_TRY(is_shared ? files.remove_file(orphan.path)
                                          : remove_checkpoint_folder(files, orphan.path));
    if (is_gone) removed.push_back(std::move(orphan));
  }
  SR_TRY(files.sync_directory(job_folder));
  if (SR_TRY(files.exists(shared))) SR_TRY(files.sync_directory(shared));
  return removed;
}

}  // namespace streamrun
