#pragma once

#include <streamrun/checkpoint/orphans.h>
#include <streamrun/checkpoint/prune_plan.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "checkpoint_query.h"

namespace streamrun {

/// What could not be removed.
struct PruneFailure {
  std::string path;
  Error error;
};

/// What one `prune` removes under the folders of a query. Left alone are: what a living run wrote,
/// what it may have been resumed from as long as it has no complete checkpoint of its own, all of a
/// job of which a run is registered whose folder is not among these, and whatever can't be read.
/// All block.
class PruneWork {
 public:
  /// `all` is what lies there (with what lacks files as damaged), `wanted` what of it the policy is
  /// about. Both, and the query, outlive this.
  PruneWork(const CheckpointQuery& query, const SnapshotListing& all, const SnapshotListing& wanted,
            const PrunePolicy& policy);
  /// Adds what nothing refers to in the folders of dead runs. Returns why some can't be told.
  std::vector<Error> find_orphans_in(const std::vector<JobFolder>& folders);

  const std::vector<PruneStep>& steps() const { return steps_; }
  const std::vector<Orphan>& orphans() const { return orphans_; }
  std::size_t to_remove() const;
  std::uint64_t bytes_to_free() const;

  /// Each under the lock of its folder; the oldest first: what is left at any moment is never older
  /// than what has gone.
  std::vector<PruneFailure> remove_all();
  bool is_gone(const std::string& path) const { return gone_.contains(path); }
  std::size_t removed() const { return gone_.size(); }
  std::uint64_t freed_bytes() const { return freed_bytes_; }

 private:
  void look_at_runs(const SnapshotListing& now);
  std::string why_is_spared(const SnapshotEntry& entry) const;
  std::vector<NeededFile> needed_files(const SnapshotEntry& entry) const;
  std::vector<SnapshotEntry> others() const;
  std::int64_t young() const;
  Result<void> remove(const SnapshotEntry& entry) const;
  void note_gone(const std::string& path, std::uint64_t bytes);

  const CheckpointQuery& query_;
  const SnapshotListing& all_;
  std::set<std::string> alive_;  ///< folders of runs
  std::set<JobId> resuming_families_;
  std::set<std::string> alive_elsewhere_;  ///< names of jobs
  bool begins_ = false;                    ///< a run of which nothing is known yet
  std::vector<PruneStep> steps_;
  std::vector<Orphan> orphans_;
  std::vector<std::string> folders_with_orphans_;
  std::set<std::string> gone_;
  std::uint64_t freed_bytes_ = 0;
};

}  // namespace streamrun
