#include "checkpoint_query.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/values.h>
#include <streamrun/platform/real_clock.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "assemble.h"
#include "load.h"
#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

std::optional<std::int64_t> moment_before(const Invocation& invocation, std::string_view flag,
                                          std::int64_t now) {
  const auto text = invocation.value(flag);
  if (!text) return std::nullopt;
  const auto age = parse_duration(*text);
  if (!age) {
    usage_error(fmt::format("{} takes a time such as 2h, not \"{}\"", flag, text->substr(0, 64)));
  }
  return now - std::chrono::duration_cast<std::chrono::milliseconds>(*age).count();
}

std::vector<Place> roots_of(const Invocation& invocation, const FileSystems& stores) {
  const Configuration configuration = load_for_command(invocation.global, {}, {}, "").configuration;
  std::vector<Place> roots;
  for (const std::string& folder : invocation.all("--dir")) {
    roots.push_back(configured_path(folder, configuration, stores));
  }
  if (roots.empty()) roots = configured_roots(configuration, stores);
  if (roots.empty()) {
    usage_error("no folder to look in: state.checkpoints.dir is not set",
                {"streamrun list-checkpoints --dir FOLDER",
                 "streamrun list-checkpoints -D state.checkpoints.dir=FOLDER"});
  }
  return roots;
}

}  // namespace

bool CheckpointQuery::passes_filter(const SnapshotEntry& entry) const {
  if (kind && entry.kind != *kind) return false;
  if (!completed_before_unix_ms && !completed_after_unix_ms) return true;
  if (entry.status != SnapshotStatus::complete) return false;  // it has no time
  const std::int64_t completed = entry.completed_unix_ms;
  return (!completed_before_unix_ms || completed < *completed_before_unix_ms) &&
         (!completed_after_unix_ms || completed > *completed_after_unix_ms);
}

FileSystem& CheckpointQuery::store_of(const std::string& path) const {
  const auto root = std::find_if(roots.begin(), roots.end(),
                                 [&](const Place& place) { return path.starts_with(place.path); });
  return *(root != roots.end() ? *root : roots.front()).store;
}

std::string CheckpointQuery::places() const {
  std::vector<std::string> paths;
  for (const Place& root : roots) paths.push_back(root.path);
  return join(paths, ", ");
}

std::string CheckpointQuery::of_job() const {
  return job.empty() ? "" : " of " + job;
}

CheckpointQuery make_checkpoint_query(const Invocation& invocation) {
  CheckpointQuery query;
  query.now_unix_ms = RealClock().unix_milliseconds();
  query.stores = make_file_systems(invocation.global);
  if (!invocation.operands.empty()) query.job = invocation.operands.front();
  if (const auto kind = invocation.value("--kind")) {
    query.kind = *kind == "savepoint" ? SnapshotKind::savepoint : SnapshotKind::checkpoint;
  }
  query.completed_before_unix_ms = moment_before(invocation, "--older", query.now_unix_ms);
  query.completed_after_unix_ms = moment_before(invocation, "--newer", query.now_unix_ms);
  query.roots_were_named = invocation.has("--dir");
  query.roots = roots_of(invocation, *query.stores);
  return query;
}

SnapshotListing everything_at(const CheckpointQuery& query, const GlobalFlags& global) {
  SnapshotListing listing = list_roots(query.roots, query.roots_were_named);
  for (const Error& problem : listing.problems) print_warning(problem.headline(), global);
  for (SnapshotEntry& entry : listing.entries) {
    if (!entry.job_name.empty() || entry.job_id.is_nil()) continue;
    for (const JobFolder& folder : listing.folders) {
      if (folder.job_id == entry.job_id) entry.job_name = folder.job_name();
    }
  }
  return listing;
}

void keep_wanted(const CheckpointQuery& query, const JobChoice* choice, SnapshotListing& listing) {
  const auto is_of_other_job = [&](const auto& each) {
    return !query.job.empty() && (choice == nullptr || !choice->includes(each));
  };
  std::erase_if(listing.folders, is_of_other_job);
  std::erase_if(listing.entries, [&](const SnapshotEntry& entry) {
    return is_of_other_job(entry) || !query.passes_filter(entry);
  });
}

std::string job_hint(const CheckpointQuery& query, const SnapshotListing& listing,
                     const JobTable& jobs) {
  std::vector<std::string> names;
  for (const Job& job : jobs) names.push_back(job.name);
  for (const SnapshotEntry& entry : listing.entries) {
    if (!entry.job_name.empty()) names.push_back(entry.job_name);
  }
  const bool is_right = std::find(names.begin(), names.end(), query.job) != names.end();
  return is_right ? "" : did_you_mean(query.job, names);
}

}  // namespace streamrun
