#pragma once

#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/storage/file_systems.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint_roots.h"
#include "command.h"

namespace streamrun {

/// Which snapshots `list-checkpoints` is asked for, and where it looks.
struct CheckpointQuery {
  std::unique_ptr<FileSystems> stores;
  std::vector<Place> roots;
  bool roots_were_named = false;  ///< by `--dir`: then they have to be there
  std::string job;                ///< a name, an id or the start of one; empty: all
  std::optional<SnapshotKind> kind;
  std::optional<std::int64_t> completed_before_unix_ms;
  std::optional<std::int64_t> completed_after_unix_ms;
  std::int64_t now_unix_ms = 0;

  /// Whether it is about less than all snapshots of a job.
  bool has_filter() const { return kind || completed_before_unix_ms || completed_after_unix_ms; }
  bool passes_filter(const SnapshotEntry& entry) const;
  /// Of a path below one of the roots.
  FileSystem& store_of(const std::string& path) const;
  std::string places() const;
  /// ` of JOB`, or nothing: for messages.
  std::string of_job() const;
};

/// From flags and configuration. Throws E-USAGE if no folder is configured and none was named.
CheckpointQuery make_checkpoint_query(const Invocation& invocation);

/// All that is there, newest first; what could not be read has the name of its folder's job, as far
/// as that is known. Folders that can't be read are warned of.
SnapshotListing everything_at(const CheckpointQuery& query, const GlobalFlags& global);

/// Takes away what does not belong to `choice` (null: to no job) or does not pass the filter.
void keep_wanted(const CheckpointQuery& query, const JobChoice* choice, SnapshotListing& listing);

/// The job, among those in the listing and in the binary, that a person may have meant: a
/// `; did you mean`, or nothing.
std::string job_hint(const CheckpointQuery& query, const SnapshotListing& listing,
                     const JobTable& jobs);

}  // namespace streamrun
