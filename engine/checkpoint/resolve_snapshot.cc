#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/resolve_snapshot.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::size_t kSuggestions = 3;

/// What `where` turned out to be.
struct Target {
  std::string folder;         ///< of the snapshot, or of the job
  std::string metadata_file;  ///< empty: `_metadata` in the folder
  bool is_job_folder = false;
};

bool is_damage(ErrorCode code) {
  return code == ErrorCode::metadata_missing || code == ErrorCode::metadata_corrupt ||
         code == ErrorCode::metadata_limit || code == ErrorCode::state_missing ||
         code == ErrorCode::state_corrupt;
}

bool has_checkpoints(const std::vector<FileStatus>& content) {
  return std::any_of(content.begin(), content.end(), [](const FileStatus& entry) {
    return entry.kind == FileKind::directory && checkpoint_id_of_name(base_name(entry.path));
  });
}

/// A folder with `_metadata` is a snapshot, whatever its name; else one with `chk-*` in it, or a
/// job's id, is a job's.
Result<Target> target_in(FileSystem& files, const std::string& folder) {
  Target target{.folder = folder, .metadata_file = {}};
  if (checkpoint_id_of_name(base_name(folder))) return target;
  if (SR_TRY(files.exists(join_path(folder, kMetadataName)))) return target;
  const bool named_so = job_id_of_name(base_name(folder)).has_value();
  target.is_job_folder = named_so || has_checkpoints(SR_TRY(files.list(folder)));
  return target;
}

Result<Target> target_of(FileSystem& files, const std::string& where) {
  const Result<FileStatus> status = files.status(where);
  if (!status) {
    Error error = status.error();
    if (error.code == ErrorCode::path) {
      error.message = "no checkpoint or savepoint is there";
      error.where = where;
    }
    return error;
  }
  if (status->kind == FileKind::directory) return target_in(files, where);
  return Target{.folder = parent_path(where), .metadata_file = where};
}

/// The folder of the job that `where` belongs to, going by names alone.
std::string job_folder_of(const std::string& where) {
  const std::string name = base_name(where);
  if (job_id_of_name(name)) return where;
  const std::string folder = checkpoint_id_of_name(name) ? where : parent_path(where);
  return checkpoint_id_of_name(base_name(folder)) ? parent_path(folder) : folder;
}

std::vector<SnapshotEntry> complete_in(FileSystem& files, const std::string& job_folder) {
  std::vector<SnapshotEntry> complete;
  Result<JobFolder> folder = list_job_folder(files, job_folder);
  if (!folder) return complete;  // no suggestion is better than a second error
  for (SnapshotEntry& entry : folder->entries) {
    if (entry.status == SnapshotStatus::complete) complete.push_back(std::move(entry));
  }
  return complete;
}

Error with_suggestions(FileSystem& files, const std::string& where, Error error) {
  if (!is_damage(error.code) && error.code != ErrorCode::path) return error;
  for (const SnapshotEntry& entry : complete_in(files, job_folder_of(where))) {
    if (error.tries.size() == kSuggestions) break;
    if (entry.path != where) error.tries.push_back("streamrun run -s " + entry.path);
  }
  return error;
}

/// The newest that is complete or damaged: a damaged one is an error, not a reason to look further.
Result<ResolvedSnapshot> newest_in(FileSystem& files, const std::string& job_folder) {
  JobFolder folder = SR_TRY(list_job_folder(files, job_folder));
  if (folder.finished && !folder.finished->savepoint.empty())
    return read_snapshot(files, folder.finished->savepoint);
  for (SnapshotEntry& entry : folder.entries) {
    if (entry.status == SnapshotStatus::complete) return read_snapshot(files, entry.path);
    if (entry.status == SnapshotStatus::damaged) return *std::move(entry.damage);
  }
  const std::size_t unfinished = folder.entries.size();
  return Error{.code = ErrorCode::metadata_missing,
               .message = "the job's folder holds no complete checkpoint",
               .where = job_folder,
               .why = folder.finished ? "the job finished by itself"
                                      : fmt::format("{} unfinished", unfinished),
               .retry = Retry::no};
}

Result<ResolvedSnapshot> resolve(FileSystem& files, const std::string& where) {
  const Target target = SR_TRY(target_of(files, where));
  if (target.is_job_folder) return newest_in(files, target.folder);
  if (target.metadata_file.empty()) return read_snapshot(files, target.folder);
  return read_snapshot_file(files, target.metadata_file);
}

Result<ResolvedSnapshot> verified(FileSystem& files, Result<ResolvedSnapshot> snapshot,
                                  bool read_data) {
  if (!snapshot) return snapshot;
  SR_TRY(verify_files(files, snapshot->directory, snapshot->metadata, read_data));
  return snapshot;
}

}  // namespace

Result<ResolvedSnapshot> resolve_snapshot(FileSystem& files, const std::string& where) {
  const std::string path = SR_TRY(files.canonical(where));
  Result<ResolvedSnapshot> snapshot = resolve(files, path);
  if (snapshot) return snapshot;
  return with_suggestions(files, path, std::move(snapshot).error());
}

Result<ResolvedSnapshot> resolve_with_fallback(FileSystem& files, const std::string& where,
                                               bool read_data) {
  const std::string path = SR_TRY(files.canonical(where));
  Result<ResolvedSnapshot> wanted = verified(files, resolve_snapshot(files, path), read_data);
  if (wanted || !is_damage(wanted.error().code)) return wanted;
  for (const SnapshotEntry& entry : complete_in(files, job_folder_of(path))) {
    Result<ResolvedSnapshot> other = verified(files, read_snapshot(files, entry.path), read_data);
    if (!other && other.error().code == ErrorCode::unavailable) return other;
    if (!other) continue;
    other->warning = fmt::format("{} is used instead: {}", entry.path, wanted.error().headline());
    return other;
  }
  return wanted;
}

}  // namespace streamrun
