#include "other_runs.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_names.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace streamrun {

std::string root_beside(const std::string& snapshot_folder) {
  const std::string job_folder = parent_path(snapshot_folder);
  return job_id_of_name(base_name(job_folder)) ? parent_path(job_folder) : job_folder;
}

Result<std::optional<std::string>> holder_of(FileSystem& files, const std::string& folder) {
  Result<std::optional<std::string>> holder = files.lock_holder(join_path(folder, kLockName));
  if (holder || holder.error().code == ErrorCode::lock) return holder;
  return std::optional<std::string>();
}

std::string warning_of_finished_kin(FileSystem& files, const std::vector<std::string>& roots,
                                    const ResolvedSnapshot& snapshot, std::int64_t now_unix_ms) {
  std::set<std::string> places(roots.begin(), roots.end());
  places.insert(root_beside(snapshot.directory));
  for (const std::string& place : places) {
    const Result<SnapshotListing> listing = list_all(files, place);
    if (!listing) continue;  // what can't be seen can't be warned of
    for (const JobFolder& folder : listing->folders) {
      const bool is_kin =
          folder.finished && folder.job && folder.job->family_id == snapshot.metadata.family_id;
      const bool ended_before =
          is_kin && folder.finished->finished_unix_ms < snapshot.metadata.completed_unix_ms;
      if (!is_kin || ended_before) continue;
      // Whatever name of the path was given: a savepoint's own is unique.
      if (base_name(folder.finished->savepoint) == base_name(snapshot.directory)) continue;
      return fmt::format(
          "{} {} finished {} ago with what this snapshot began: resuming it writes output again "
          "that is there already",
          folder.job_name(), to_string(folder.job_id),
          human_age(now_unix_ms - folder.finished->finished_unix_ms));
    }
  }
  return {};
}

std::vector<std::string> warnings_of_living_runs(FileSystem& files, const SnapshotListing& listing,
                                                 const std::string& name) {
  std::vector<std::string> warnings;
  for (const JobFolder& folder : listing.folders) {
    if (folder.job_name() != name || folder.finished) continue;
    const auto holder = holder_of(files, folder.path);
    if (!holder || !*holder) continue;  // a store without locks is told when it is to lock
    warnings.push_back(
        fmt::format("another run of {} is alive, {} ({}): two runs into one output folder both "
                    "write all of it",
                    name, to_string(folder.job_id), **holder));
  }
  return warnings;
}

}  // namespace streamrun
