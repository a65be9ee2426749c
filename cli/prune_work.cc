#include "prune_work.h"

#include <streamrun/checkpoint/claimed_snapshot.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <algorithm>

#include "other_runs.h"
#include "output.h"
#include "running_jobs.h"

namespace streamrun {
namespace {

/// What nothing refers to is left alone for so long: a run on another machine may be writing it.
constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr const char* kLockNote = "streamrun prune";

Error in_use(std::string why) {
  return {.code = ErrorCode::lock, .message = std::move(why), .retry = Retry::no};
}

}  // namespace

PruneWork::PruneWork(const CheckpointQuery& query, const SnapshotListing& all,
                     const SnapshotListing& wanted, const PrunePolicy& policy)
    : query_(query), all_(all) {
  look_at_runs(all);
  steps_ = plan_prune(wanted.entries, policy,
                      [this](const SnapshotEntry& entry) { return why_is_spared(entry); });
  weigh(steps_, others(), [this](const SnapshotEntry& entry) { return needed_files(entry); });
}

void PruneWork::look_at_runs(const SnapshotListing& now) {
  alive_.clear();
  resuming_families_.clear();
  alive_elsewhere_.clear();
  begins_ = false;
  for (const JobFolder& folder : now.folders) {
    const auto holder = holder_of(query_.store_of(folder.path), folder.path);
    if (holder && !*holder) continue;
    alive_.insert(folder.path);
    const bool has_its_own =
        std::any_of(folder.entries.begin(), folder.entries.end(),
                    [](const auto& entry) { return entry.status == SnapshotStatus::complete; });
    if (has_its_own) continue;
    if (folder.job) {
      resuming_families_.insert(folder.job->family_id);
    } else {
      begins_ = true;
    }
  }
  for (const RunningJob& job : registered_jobs(Lost::keep).running) {
    const bool is_here =
        std::any_of(now.folders.begin(), now.folders.end(),
                    [&](const JobFolder& folder) { return to_string(folder.job_id) == job.id; });
    if (!is_here) alive_elsewhere_.insert(job.name);
  }
}

std::string PruneWork::why_is_spared(const SnapshotEntry& entry) const {
  if (alive_.contains(parent_path(entry.path))) return "its run is alive";
  if (begins_ || resuming_families_.contains(entry.family_id))
    return "a run that may need it is alive";
  if (alive_elsewhere_.contains(entry.job_name))
    return "a run of the job is alive, with its checkpoints elsewhere";
  return {};
}

std::vector<NeededFile> PruneWork::needed_files(const SnapshotEntry& entry) const {
  std::vector<NeededFile> needed;
  const Result<ResolvedSnapshot> snapshot = read_snapshot(query_.store_of(entry.path), entry.path);
  if (!snapshot) return needed;  // gone meanwhile, or damaged
  for (const StateFile* file : files_of(snapshot->metadata))
    needed.push_back({state_file_path(entry.path, *file), file->length});
  return needed;
}

/// Snapshots that the plan does not speak of: they stay. Of damaged ones with what can be read.
std::vector<SnapshotEntry> PruneWork::others() const {
  std::set<std::string> planned;
  for (const PruneStep& step : steps_) planned.insert(step.entry.path);
  std::vector<SnapshotEntry> rest;
  for (const SnapshotEntry& entry : all_.entries) {
    if (entry.status != SnapshotStatus::unfinished && !planned.contains(entry.path))
      rest.push_back(entry);
  }
  return rest;
}

std::vector<Error> PruneWork::find_orphans_in(const std::vector<JobFolder>& folders) {
  std::vector<Error> problems;
  for (const JobFolder& folder : folders) {
    if (alive_.contains(folder.path)) continue;
    Result<std::vector<Orphan>> found =
        find_orphans(query_.store_of(folder.path), folder.path, young());
    if (!found) {
      problems.push_back(std::move(found).error());
      continue;
    }
    if (!found->empty()) folders_with_orphans_.push_back(folder.path);
    orphans_.insert(orphans_.end(), found->begin(), found->end());
  }
  return problems;
}

std::int64_t PruneWork::young() const {
  return query_.now_unix_ms - kDayMs;
}

std::size_t PruneWork::to_remove() const {
  const auto steps = std::count_if(steps_.begin(), steps_.end(),
                                   [](const PruneStep& step) { return step.removes; });
  return static_cast<std::size_t>(steps) + orphans_.size();
}

std::uint64_t PruneWork::bytes_to_free() const {
  std::uint64_t bytes = 0;
  for (const PruneStep& step : steps_) bytes += step.freed_bytes;
  for (const Orphan& orphan : orphans_) bytes += orphan.bytes;
  return bytes;
}

std::vector<PruneFailure> PruneWork::remove_all() {
  std::vector<PruneFailure> failures;
  // Somebody may have thought about it for a while.
  look_at_runs(list_roots(query_.roots, false));
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (!step->removes) continue;
    std::string spared = why_is_spared(step->entry);
    Result<void> removed =
        spared.empty() ? remove(step->entry) : Result<void>(in_use(std::move(spared)));
    if (removed) {
      note_gone(step->entry.path, step->freed_bytes);
    } else {
      failures.push_back({step->entry.path, std::move(removed).error()});
    }
  }
  for (const std::string& folder : folders_with_orphans_) {
    auto removed = remove_orphans(query_.store_of(folder), folder, young(), kLockNote);
    if (!removed) {
      failures.push_back({folder, std::move(removed).error()});
      continue;
    }
    for (const Orphan& orphan : *removed) note_gone(orphan.path, orphan.bytes);
  }
  return failures;
}

Result<void> PruneWork::remove(const SnapshotEntry& entry) const {
  FileSystem& files = query_.store_of(entry.path);
  const ResolvedSnapshot snapshot = SR_TRY(read_snapshot(files, entry.path));
  const auto claimed = SR_TRY(ClaimedSnapshot::open(files, snapshot, kLockNote));
  const bool is_whole = SR_TRY(claimed->remove());
  if (is_whole) return {};
  return Error{.code = ErrorCode::path,
               .message = "something that is not streamrun's lies in it",
               .where = entry.path,
               .retry = Retry::no};
}

void PruneWork::note_gone(const std::string& path, std::uint64_t bytes) {
  gone_.insert(path);
  freed_bytes_ += bytes;
}

}  // namespace streamrun
