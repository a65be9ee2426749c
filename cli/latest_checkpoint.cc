#include "latest_checkpoint.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "output.h"

namespace streamrun {
namespace {

class Latest {
 public:
  Latest(const CheckpointQuery& query, const GlobalFlags& global)
      : query_(query), global_(global) {}

  SnapshotEntry find(const JobTable& jobs) const {
    SnapshotListing listing = everything_at(query_, global_);
    if (query_.job.empty()) return first_good(listing);
    const auto choice = choose_job(listing, query_.job);
    if (!choice) none({}, job_hint(query_, listing, jobs));
    if (is_question_of_run(*choice)) return as_run_takes_it();
    keep_wanted(query_, &*choice, listing);
    refuse_finished(listing);
    return first_good(listing);
  }

 private:
  /// A job's name alone, as in `run -s latest NAME`.
  bool is_question_of_run(const JobChoice& choice) const {
    const bool in_folder_of_job = std::any_of(
        query_.roots.begin(), query_.roots.end(),
        [](const Place& root) { return job_id_of_name(base_name(root.path)).has_value(); });
    return !choice.name.empty() && !query_.has_filter() && !in_folder_of_job;
  }

  /// Decides in each store; the newest of them all.
  SnapshotEntry as_run_takes_it() const {
    std::optional<SnapshotEntry> best;
    std::optional<FinishedMarker> finished;
    for (const auto& [store, paths] : paths_by_store()) {
      NewestComplete newest = value_or_throw(newest_complete(*store, paths, query_.job, false));
      if (!newest.warning.empty()) print_warning(newest.warning, global_);
      if (newest.finished) finished = newest.finished;
      if (!newest.entry) continue;
      if (!best || newest.entry->completed_unix_ms > best->completed_unix_ms) best = newest.entry;
    }
    if (finished && (!best || finished->finished_unix_ms >= best->completed_unix_ms)) {
      none(ended_by_itself(*finished));
    }
    if (!best) none({});
    return *std::move(best);
  }

  std::vector<std::pair<FileSystem*, std::vector<std::string>>> paths_by_store() const {
    std::vector<std::pair<FileSystem*, std::vector<std::string>>> groups;
    for (const Place& root : query_.roots) {
      auto group = std::find_if(groups.begin(), groups.end(),
                                [&](const auto& each) { return each.first == root.store; });
      if (group == groups.end()) group = groups.insert(groups.end(), {root.store, {}});
      group->second.push_back(root.path);
    }
    return groups;
  }

  SnapshotEntry first_good(SnapshotListing& listing) const {
    keep_filtered(listing);
    for (SnapshotEntry& entry : listing.entries) {
      if (entry.damage) throw_error(*entry.damage);
      if (entry.status == SnapshotStatus::complete) return std::move(entry);
    }
    none({});
  }

  void keep_filtered(SnapshotListing& listing) const {
    std::erase_if(listing.entries,
                  [&](const SnapshotEntry& entry) { return !query_.passes_filter(entry); });
  }

  /// Of one job, named by its id.
  void refuse_finished(const SnapshotListing& listing) const {
    if (query_.has_filter()) return;
    for (const JobFolder& folder : listing.folders) {
      if (folder.finished && folder.finished->savepoint.empty())
        none(ended_by_itself(*folder.finished));
    }
  }

  std::string ended_by_itself(const FinishedMarker& marker) const {
    return fmt::format("the job ended by itself {} ago: there is nothing left to do",
                       human_age(query_.now_unix_ms - marker.finished_unix_ms));
  }

  [[noreturn]] void none(std::string why, const std::string& hint = {}) const {
    throw_error({.code = ErrorCode::path,
                 .message = fmt::format("no complete checkpoint{}{}", query_.of_job(), hint),
                 .where = query_.places(),
                 .why = std::move(why),
                 .retry = Retry::no});
  }

  const CheckpointQuery& query_;
  const GlobalFlags& global_;
};

}  // namespace

SnapshotEntry latest_checkpoint(const CheckpointQuery& query, const GlobalFlags& global,
                                const JobTable& jobs) {
  return Latest(query, global).find(jobs);
}

}  // namespace streamrun
