#include <streamrun/base/assert.h>
#include <streamrun/base/crash_point.h>
#include <streamrun/checkpoint/absent_snapshots.h>
#include <streamrun/checkpoint/shared_files.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/state/shared_file.h>

#include <optional>
#include <utility>

namespace streamrun {
namespace {

/// Regular files in `shared` whose names are ours.
Result<std::vector<FileStatus>> files_of_ours(FileSystem& files, const std::string& job_folder) {
  std::vector<FileStatus> ours;
  const std::string shared = join_path(job_folder, kSharedName);
  const Result<FileStatus> folder = files.status(shared);
  if (!folder && folder.error().code == ErrorCode::path) return ours;
  if (!folder) return folder.error();
  // Through a link it would be somebody else's (R3).
  if (folder->is_link || folder->kind != FileKind::directory) return ours;
  for (const FileStatus& file : SR_TRY(files.list(shared))) {
    const std::string name = base_name(file.path);
    const bool is_ours = is_shared_file_name(name) || is_shared_temporary_name(name);
    if (is_ours && file.kind == FileKind::file && !file.is_link) ours.push_back(file);
  }
  return ours;
}

struct Ours {
  std::vector<FileStatus> unneeded;
  bool some_in_use = false;
};

/// What no `_metadata` of the folder refers to: it was read after each of them was looked for.
Result<Ours> look_through(FileSystem& files, const std::string& job_folder) {
  Ours ours;
  ours.unneeded = SR_TRY(files_of_ours(files, job_folder));
  if (ours.unneeded.empty()) return ours;
  std::set<std::string> in_use;
  for (const auto& [snapshot, names] : SR_TRY(shared_names_in_use(files, job_folder))) {
    in_use.insert(names.begin(), names.end());
  }
  ours.some_in_use = std::erase_if(ours.unneeded, [&](const FileStatus& file) {
                       return in_use.contains(base_name(file.path));
                     }) > 0;
  return ours;
}

}  // namespace

Result<std::vector<FileStatus>> unneeded_shared_files(FileSystem& files,
                                                      const std::string& job_folder) {
  return SR_TRY(look_through(files, job_folder)).unneeded;
}

Result<std::map<std::string, std::set<std::string>>> shared_names_in_use(
    FileSystem& files, const std::string& job_folder) {
  std::map<std::string, std::set<std::string>> in_use;
  for (const FileStatus& entry : SR_TRY(files.list(job_folder))) {
    if (entry.kind != FileKind::directory) continue;
    const std::string metadata = join_path(entry.path, kMetadataName);
    if (!SR_TRY(files.exists(metadata))) continue;
    const ResolvedSnapshot snapshot = SR_TRY(read_snapshot_file(files, metadata));
    in_use.emplace(entry.path, shared_names_of(snapshot.metadata));
  }
  return in_use;
}

Result<void> remove_shared_files(FileSystem& files, const std::string& job_folder,
                                 const std::set<std::string>& names) {
  if (names.empty()) return {};
  const std::string shared = join_path(job_folder, kSharedName);
  std::optional<Error> first;
  for (const std::string& name : names) {
    SR_ASSERT(is_shared_file_name(name), "R3: only names of ours in a job's own folder");
    const Result<bool> removed = files.remove_file(join_path(shared, name));
    if (!removed && removed.error().code != ErrorCode::path && !first) first = removed.error();
    SR_CRASH("gc.shared.mid");
  }
  if (first) return *first;
  return files.sync_directory(shared);
}

Result<void> remove_shared_temporaries(FileSystem& files, const std::string& job_folder) {
  for (const FileStatus& file : SR_TRY(files_of_ours(files, job_folder))) {
    if (is_shared_temporary_name(base_name(file.path))) SR_TRY(files.remove_file(file.path));
  }
  return {};
}

Result<SharedLeftovers> clean_shared_files(FileSystem& files, const std::string& job_folder) {
  SharedLeftovers leftovers;
  const Ours ours = SR_TRY(look_through(files, job_folder));
  leftovers.some_in_use = ours.some_in_use;
  if (ours.unneeded.empty()) return leftovers;
  SR_TRY(make_absence_durable(files, job_folder));
  for (const FileStatus& file : ours.unneeded) {
    const Result<bool> removed = files.remove_file(file.path);
    (removed ? leftovers.removed : leftovers.kept).push_back(file.path);
    SR_CRASH("gc.shared.mid");
  }
  SR_TRY(files.sync_directory(join_path(job_folder, kSharedName)));
  return leftovers;
}

}  // namespace streamrun
