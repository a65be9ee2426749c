#include "checkpoint_roots.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/config/options.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "usage_error.h"

namespace streamrun {
namespace {

constexpr std::size_t kShortestPrefix = 4;

/// A job's folder, or one that holds the folders of jobs.
Result<SnapshotListing> list_place(const Place& root) {
  if (!job_id_of_name(base_name(root.path))) return list_all(*root.store, root.path);
  SnapshotListing listing;
  listing.folders.push_back(SR_TRY(list_job_folder(*root.store, root.path)));
  listing.entries = listing.folders.front().entries;
  return listing;
}

std::set<JobId> ids_in(const SnapshotListing& listing) {
  std::set<JobId> ids;
  for (const SnapshotEntry& entry : listing.entries) ids.insert(entry.job_id);
  for (const JobFolder& folder : listing.folders) ids.insert(folder.job_id);
  ids.erase(JobId());
  return ids;
}

bool is_name_in(const SnapshotListing& listing, const std::string& job) {
  return std::any_of(listing.entries.begin(), listing.entries.end(),
                     [&](const SnapshotEntry& entry) { return entry.job_name == job; }) ||
         std::any_of(listing.folders.begin(), listing.folders.end(),
                     [&](const JobFolder& folder) { return folder.job_name() == job; });
}

/// What one folder is on its store: two roots may be it, or one lie in the other, by whatever
/// names.
std::string identity_of(const std::vector<Place>& roots, const std::string& path) {
  for (const Place& root : roots) {
    if (!path.starts_with(root.path)) continue;
    const Result<FileStatus> status = root.store->status(path);
    return status && !status->identity.empty() ? status->identity : path;
  }
  return path;
}

void drop_second_names(const std::vector<Place>& roots, SnapshotListing& all) {
  if (roots.size() < 2) return;
  std::set<std::string> seen;
  const auto is_second = [&](const auto& each) {
    return !seen.insert(identity_of(roots, each.path)).second;
  };
  std::erase_if(all.entries, is_second);
  std::erase_if(all.folders, is_second);
}

}  // namespace

std::vector<Place> configured_roots(const Configuration& configuration, const FileSystems& stores) {
  std::vector<Place> roots;
  for (const auto* option : {&options::kCheckpointDirectory, &options::kSavepointDirectory}) {
    const std::optional<Place> root = configured_folder(*option, configuration, stores);
    if (root && std::find(roots.begin(), roots.end(), *root) == roots.end()) roots.push_back(*root);
  }
  return roots;
}

SnapshotListing list_roots(const std::vector<Place>& roots, bool must_exist) {
  SnapshotListing all;
  std::vector<std::vector<SnapshotEntry>> lists;
  for (const Place& root : roots) {
    Result<SnapshotListing> listing = list_place(root);
    if (!listing && listing.error().code == ErrorCode::path && !must_exist) continue;
    SnapshotListing found = value_or_throw(std::move(listing));
    lists.push_back(std::move(found.entries));
    std::move(found.folders.begin(), found.folders.end(), std::back_inserter(all.folders));
    std::move(found.problems.begin(), found.problems.end(), std::back_inserter(all.problems));
  }
  all.entries = merge_newest_first(std::move(lists));
  drop_second_names(roots, all);
  return all;
}

bool JobChoice::includes(const SnapshotEntry& entry) const {
  return id ? entry.job_id == *id : entry.job_name == name;
}

bool JobChoice::includes(const JobFolder& folder) const {
  return id ? folder.job_id == *id : folder.job_name() == name;
}

std::optional<JobChoice> choose_job(const SnapshotListing& listing, const std::string& job) {
  if (is_name_in(listing, job)) return JobChoice{.name = job, .id = {}};
  const std::string prefix = to_lower_ascii(job);
  std::vector<JobId> matches;
  for (const JobId& id : ids_in(listing)) {
    if (prefix.size() >= kShortestPrefix && to_string(id).starts_with(prefix))
      matches.push_back(id);
  }
  if (matches.empty()) return std::nullopt;
  if (matches.size() == 1) return JobChoice{.name = {}, .id = matches.front()};
  std::vector<std::string> ids;
  for (const JobId& id : matches) ids.push_back(to_string(id));
  usage_error(fmt::format("several job ids begin with {}: {}", job, join(ids, ", ")));
}

}  // namespace streamrun
