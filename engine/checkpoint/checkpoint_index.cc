#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

using Paths = std::set<std::string>;

SnapshotEntry summary_of(const ResolvedSnapshot& snapshot) {
  const CheckpointMetadata& metadata = snapshot.metadata;
  SnapshotEntry entry;
  entry.path = snapshot.directory;
  entry.status = SnapshotStatus::complete;
  entry.id = metadata.id;
  entry.job_id = metadata.job_id;
  entry.kind = metadata.kind;
  entry.job_name = metadata.job_name;
  entry.registered_name = metadata.registered_name;
  entry.family_id = metadata.family_id;
  entry.version = metadata.version;
  entry.restored_from = metadata.restored_from;
  entry.parallelism = metadata.parallelism;
  entry.operators = static_cast<int>(metadata.operators.size());
  for (const OperatorSnapshot& snapshot_of_operator : metadata.operators) {
    entry.max_parallelism = std::max(entry.max_parallelism, snapshot_of_operator.max_parallelism);
  }
  entry.triggered_unix_ms = metadata.triggered_unix_ms;
  entry.completed_unix_ms = metadata.completed_unix_ms;
  entry.full_bytes = snapshot.full_bytes;
  entry.metadata_bytes = snapshot.metadata_bytes;
  return entry;
}

/// Counts what is new against the files of the one before, and replaces them by its own.
void count_new_bytes(const CheckpointMetadata& metadata, SnapshotEntry& entry, Paths& before) {
  Paths own;
  entry.new_bytes = inline_bytes(metadata);
  for (const StateFile* file : files_of(metadata)) {
    if (is_exclusive(*file) || !before.contains(file->path)) entry.new_bytes += file->length;
    if (is_exclusive(*file)) continue;
    entry.incremental = true;
    own.insert(file->path);
  }
  before = std::move(own);
}

/// E-UNAVAILABLE if the store does not answer: that says nothing of the snapshot (R2).
Result<SnapshotEntry> entry_of(FileSystem& files, const std::string& folder, Paths& before) {
  Result<ResolvedSnapshot> snapshot = read_snapshot(files, folder);
  if (!snapshot && snapshot.error().code == ErrorCode::unavailable)
    return std::move(snapshot).error();
  if (snapshot) {
    SnapshotEntry entry = summary_of(*snapshot);
    count_new_bytes(snapshot->metadata, entry, before);
    return entry;
  }
  SnapshotEntry entry;
  entry.path = folder;
  const ErrorCode code = snapshot.error().code;
  const bool unfinished = code == ErrorCode::metadata_missing || code == ErrorCode::path;
  entry.status = unfinished ? SnapshotStatus::unfinished : SnapshotStatus::damaged;
  if (!unfinished) entry.damage = std::move(snapshot).error();
  return entry;
}

/// A small file that is missing or damaged is as good as none: nothing depends on it but messages
/// and `finished`. One that can't be read for now is neither (R2): what it says decides whether the
/// job is done, and whose the folder is.
template <typename T>
Result<std::optional<T>> small_file(FileSystem& files, const std::string& path,
                                    Result<T> (*decode_bytes)(std::string_view)) {
  const Result<std::string> bytes = files.read_all(path, kSmallFileLimitBytes);
  if (!bytes) {
    const ErrorCode code = bytes.error().code;
    const bool is_none = code == ErrorCode::path || code == ErrorCode::metadata_limit;
    if (is_none) return std::optional<T>();
    return bytes.error();
  }
  Result<T> content = decode_bytes(*bytes);
  if (!content) return std::optional<T>();
  return std::optional<T>(*std::move(content));
}

/// For each entry (newest first) the moment that it is not older than: its own completion, or for
/// what has none that of the next older one.
std::vector<std::int64_t> order_times(const std::vector<SnapshotEntry>& entries) {
  std::vector<std::int64_t> times(entries.size(), 0);
  std::int64_t known = 0;
  for (std::size_t i = entries.size(); i-- > 0;) {
    if (entries[i].status == SnapshotStatus::complete) known = entries[i].completed_unix_ms;
    times[i] = known;
  }
  return times;
}

void add_folder(FileSystem& files, const FileStatus& status, SnapshotListing& listing,
                std::vector<std::vector<SnapshotEntry>>& lists) {
  if (job_id_of_name(base_name(status.path))) {
    Result<JobFolder> folder = list_job_folder(files, status.path);
    if (!folder) {
      listing.problems.push_back(std::move(folder).error());
      return;
    }
    lists.push_back(folder->entries);
    listing.folders.push_back(*std::move(folder));
    return;
  }
  const Result<bool> is_snapshot = files.exists(join_path(status.path, kMetadataName));
  if (!is_snapshot) {
    listing.problems.push_back(is_snapshot.error());
    return;
  }
  const bool named_so = base_name(status.path).starts_with("savepoint-");
  if (!*is_snapshot && !named_so) return;
  Paths before;
  Result<SnapshotEntry> entry = entry_of(files, status.path, before);
  if (!entry) {
    listing.problems.push_back(std::move(entry).error());
    return;
  }
  if (entry->status != SnapshotStatus::complete) entry->kind = SnapshotKind::savepoint;
  lists.push_back({*std::move(entry)});
}

/// In one run ids tell: a savepoint may be complete after a newer checkpoint that has committed
/// more.
bool is_newer(const SnapshotEntry& a, const SnapshotEntry& b) {
  if (a.job_id == b.job_id) return a.id > b.id;
  return std::tie(a.completed_unix_ms, a.id) > std::tie(b.completed_unix_ms, b.id);
}

using Lists = std::vector<std::vector<SnapshotEntry>>;

/// Puts a savepoint before the first older snapshot of its own run in `list`, or behind the last
/// newer one. False if nothing of its run is there.
bool insert_into_run(const SnapshotEntry& savepoint, std::vector<SnapshotEntry>& list) {
  std::optional<std::size_t> place;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].job_id != savepoint.job_id) continue;
    place = list[i].id > savepoint.id ? i + 1 : i;
    if (list[i].id <= savepoint.id) break;
  }
  if (!place) return false;
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(*place), savepoint);
  return true;
}

/// Moves each savepoint to the other snapshots of its run, by id.
Lists savepoints_in_their_runs(Lists lists) {
  std::vector<SnapshotEntry> savepoints;
  for (auto& list : lists) {
    for (const SnapshotEntry& entry : list) {
      const bool moves =
          entry.kind == SnapshotKind::savepoint && entry.status == SnapshotStatus::complete;
      if (moves) savepoints.push_back(entry);
    }
    std::erase_if(list, [](const SnapshotEntry& entry) {
      return entry.kind == SnapshotKind::savepoint && entry.status == SnapshotStatus::complete;
    });
  }
  for (const SnapshotEntry& savepoint : savepoints) {
    const bool inserted = std::any_of(lists.begin(), lists.end(),
                                      [&](auto& list) { return insert_into_run(savepoint, list); });
    if (!inserted) lists.push_back({savepoint});
  }
  return lists;
}

/// What the folders of one job's name come to, before it is decided.
class Search {
 public:
  explicit Search(std::string job_name) : job_name_(std::move(job_name)) {}

  void add(SnapshotListing listing) {
    take_newest(listing.entries);
    for (SnapshotEntry& entry : listing.entries) {
      const bool savepoint = entry.kind == SnapshotKind::savepoint;
      if (savepoint && entry.damage) damaged_savepoints_.push_back(std::move(entry));
    }
    for (JobFolder& folder : listing.folders) {
      if (folder.job_name() == job_name_) folders_.push_back(std::move(folder));
    }
    for (Error& problem : listing.problems) add_problem(std::move(problem));
  }

  Result<NewestComplete> decide(bool fallback) const {
    NewestComplete newest{.entry = best_, .finished = newest_finish(), .warning = warning_};
    const Error* damage = newer_damage();
    if (damage == nullptr && unreadable_) damage = &*unreadable_;
    if (damage == nullptr) return newest;
    if (!fallback || !best_) return *damage;
    newest.warning = "passed over a newer one: " + damage->headline();
    return newest;
  }

 private:
  /// The list is newest first already; between the lists of several roots time decides.
  void take_newest(const std::vector<SnapshotEntry>& entries) {
    for (const SnapshotEntry& entry : entries) {
      if (entry.status != SnapshotStatus::complete || entry.job_name != job_name_) continue;
      if (!best_ || is_newer(entry, *best_)) best_ = entry;
      return;
    }
  }
  /// A folder closed to this user is most likely somebody else's; one that can't be read may hide
  /// the newest.
  void add_problem(Error problem) {
    if (problem.code == ErrorCode::permission) {
      warning_ = "a folder was passed over: " + problem.headline();
    } else if (!unreadable_) {
      unreadable_ = std::move(problem);
    }
  }
  bool holds_best(const JobFolder& folder) const { return best_ && best_->job_id == folder.job_id; }
  std::int64_t known_until() const {
    const auto finish = newest_finish();
    return std::max(best_ ? best_->completed_unix_ms : 0, finish ? finish->finished_unix_ms : 0);
  }
  /// What is damaged has no time of its own. It counts as newer if it stands above the best in the
  /// same folder, or if its run began when all else was written (a restart can follow in the same
  /// millisecond). Where a job ended by itself nothing matters any more.
  const Error* newer_damage() const {
    for (const JobFolder& folder : folders_) {
      if (folder.finished) continue;
      const bool later_run = !folder.job || folder.job->started_unix_ms >= known_until();
      const bool own_run = holds_best(folder);
      if (own_run || later_run || known_until() == 0) {
        if (const Error* damage = damage_above(folder)) return damage;
        if (const Error* damage = damaged_savepoint_of(folder)) return damage;
      }
    }
    return nullptr;
  }
  const Error* damage_above(const JobFolder& folder) const {
    for (const SnapshotEntry& entry : folder.entries) {
      if (entry.status == SnapshotStatus::complete) break;
      if (entry.damage) return &*entry.damage;
    }
    return nullptr;
  }
  const Error* damaged_savepoint_of(const JobFolder& folder) const {
    const std::string prefix = "savepoint-" + base_name(folder.path).substr(0, 6) + "-";
    for (const SnapshotEntry& entry : damaged_savepoints_) {
      if (base_name(entry.path).starts_with(prefix)) return &*entry.damage;
    }
    return nullptr;
  }
  /// Of two in the same millisecond the one that went on from the other: ids only grow (D3).
  bool is_after_best(const JobFolder& folder, const FinishedMarker& marker) const {
    if (!best_ || marker.finished_unix_ms > best_->completed_unix_ms) return true;
    if (holds_best(folder) && marker.last_snapshot >= best_->id) return true;
    const bool has_id = marker.last_snapshot > 0;
    return marker.finished_unix_ms == best_->completed_unix_ms &&
           (!has_id || marker.last_snapshot >= best_->id);
  }
  std::optional<FinishedMarker> newest_finish() const {
    std::optional<FinishedMarker> newest;
    for (const JobFolder& folder : folders_) {
      if (!folder.finished) continue;
      const FinishedMarker& marker = *folder.finished;
      const bool newer = !newest || std::tie(marker.finished_unix_ms, marker.last_snapshot) >
                                        std::tie(newest->finished_unix_ms, newest->last_snapshot);
      if (is_after_best(folder, marker) && newer) newest = marker;
    }
    return newest;
  }

  const std::string job_name_;
  std::vector<JobFolder> folders_;
  std::vector<SnapshotEntry> damaged_savepoints_;
  std::optional<SnapshotEntry> best_;
  std::optional<Error> unreadable_;
  std::string warning_;
};

}  // namespace

std::string JobFolder::job_name() const {
  if (job) return job->job_name;
  for (const SnapshotEntry& entry : entries) {
    if (entry.status == SnapshotStatus::complete) return entry.job_name;
  }
  return finished ? finished->job_name : std::string();
}

Result<JobFolder> list_job_folder(FileSystem& files, const std::string& folder) {
  JobFolder job;
  job.path = folder;
  job.job_id = job_id_of_name(base_name(folder)).value_or(JobId());
  std::vector<std::pair<CheckpointId, std::string>> found;
  for (const FileStatus& status : SR_TRY(files.list(folder))) {
    const auto id = checkpoint_id_of_name(base_name(status.path));
    if (id && status.kind == FileKind::directory) found.emplace_back(*id, status.path);
  }
  std::sort(found.begin(), found.end());
  Paths before;
  for (const auto& [id, path] : found) {
    SnapshotEntry entry = SR_TRY(entry_of(files, path, before));
    entry.id = id;
    if (entry.status != SnapshotStatus::complete) entry.job_id = job.job_id;
    job.entries.push_back(std::move(entry));
  }
  std::reverse(job.entries.begin(), job.entries.end());
  job.job = SR_TRY(small_file(files, join_path(folder, kJobFileName), &decode_job_file));
  job.finished =
      SR_TRY(small_file(files, join_path(folder, kFinishedName), &decode_finished_marker));
  return job;
}

Result<SnapshotListing> list_all(FileSystem& files, const std::string& root) {
  SnapshotListing listing;
  std::vector<std::vector<SnapshotEntry>> lists;
  for (const FileStatus& status : SR_TRY(files.list(root))) {
    if (status.kind == FileKind::directory) add_folder(files, status, listing, lists);
  }
  listing.entries = merge_newest_first(std::move(lists));
  return listing;
}

std::vector<SnapshotEntry> merge_newest_first(std::vector<std::vector<SnapshotEntry>> parts) {
  const Lists lists = savepoints_in_their_runs(std::move(parts));
  struct Cursor {
    std::vector<std::int64_t> times;
    std::size_t at = 0;
  };
  std::vector<Cursor> cursors;
  std::size_t total = 0;
  for (const auto& list : lists) {
    cursors.push_back({.times = order_times(list)});
    total += list.size();
  }
  std::vector<SnapshotEntry> merged;
  while (merged.size() < total) {
    std::optional<std::size_t> best;
    const auto key = [&](std::size_t i) {
      const SnapshotEntry& head = lists[i][cursors[i].at];
      return std::tuple(cursors[i].times[cursors[i].at], head.id, head.path);
    };
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (cursors[i].at == lists[i].size()) continue;
      if (!best || key(i) > key(*best)) best = i;
    }
    merged.push_back(lists[*best][cursors[*best].at++]);
  }
  return merged;
}

Result<NewestComplete> newest_complete(FileSystem& files, const std::vector<std::string>& roots,
                                       const std::string& job_name, bool fallback) {
  Search search(job_name);
  const std::set<std::string> distinct(roots.begin(), roots.end());
  for (const std::string& root : distinct) {
    Result<SnapshotListing> listing = list_all(files, root);
    if (!listing && listing.error().code == ErrorCode::path) continue;
    if (!listing) return std::move(listing).error();
    search.add(*std::move(listing));
  }
  NewestComplete newest = SR_TRY(search.decide(fallback));
  if (!newest.finished || newest.finished->savepoint.empty()) return newest;
  const Result<ResolvedSnapshot> savepoint = read_snapshot(files, newest.finished->savepoint);
  if (!savepoint) {
    // Not an older checkpoint instead: that would write again what the savepoint has committed.
    Error error = savepoint.error();
    error.message = "the job was stopped with a savepoint that can't be read: " + error.message;
    return error;
  }
  newest.entry = summary_of(*savepoint);
  newest.finished.reset();
  return newest;
}

}  // namespace streamrun
