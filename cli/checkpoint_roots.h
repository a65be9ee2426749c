#pragma once

#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/config/configuration.h>
#include <streamrun/storage/file_systems.h>

#include <string>
#include <vector>

#include "load.h"

namespace streamrun {

/// The configured folders of checkpoints and savepoints, each once; empty if none is set.
std::vector<Place> configured_roots(const Configuration& configuration, const FileSystems& stores);

/// What is under all of `roots`, newest first. A root may also be the folder of one job. One that
/// is not there holds nothing, or is E-PATH, thrown, if `must_exist`.
SnapshotListing list_roots(const std::vector<Place>& roots, bool must_exist);

/// Which snapshots a person means by a job's name, id, or start of an id with at least 4 digits.
struct JobChoice {
  std::string name;         ///< set if it is a name
  std::optional<JobId> id;  ///< set if it is an id
  bool includes(const SnapshotEntry& entry) const;
  bool includes(const JobFolder& folder) const;
};
/// Nothing if nothing in the listing belongs to such a job. E-USAGE, thrown, if several ids begin
/// so.
std::optional<JobChoice> choose_job(const SnapshotListing& listing, const std::string& job);

}  // namespace streamrun
