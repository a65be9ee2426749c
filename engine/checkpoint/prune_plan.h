#pragma once

#include <streamrun/checkpoint/checkpoint_index.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Which snapshots of a job stay: what any of these keeps.
struct PrunePolicy {
  int keep_last = 3;  ///< the newest; at least 1
  std::optional<std::int64_t> keep_after_unix_ms = {};
  int keep_daily = 0;       ///< the newest of each of the last so many days (UTC) that have one
  bool savepoints = false;  ///< else they are not looked at
};

/// What comes of one complete snapshot.
struct PruneStep {
  SnapshotEntry entry;
  bool removes = false;
  std::string reason = {};
  // Of one that is removed:
  std::uint64_t freed_bytes = 0;
  std::uint64_t staying_bytes = 0;  ///< of files that a kept one needs too
  std::string needed_by = {};       ///< the newest such; empty: none
};

/// Why a snapshot is not to be touched, whatever the policy says; empty: it may go.
using WhySpared = std::function<std::string(const SnapshotEntry&)>;

/// Applies the policy to each job name among the complete snapshots of a list, which is newest
/// first. Steps are by job name, then newest first.
std::vector<PruneStep> plan_prune(const std::vector<SnapshotEntry>& newest_first,
                                  const PrunePolicy& policy, const WhySpared& why_spared);

/// A file that a snapshot needs.
struct NeededFile {
  std::string path;
  std::uint64_t bytes = 0;
};
using NeededFiles = std::function<std::vector<NeededFile>(const SnapshotEntry&)>;

/// Says of each step that removes what that frees: a file goes with the last snapshot that needs
/// it, and stays if one of `others` (snapshots that the plan does not speak of) or a kept one does.
void weigh(std::vector<PruneStep>& steps, const std::vector<SnapshotEntry>& others,
           const NeededFiles& needed_files);

}  // namespace streamrun
