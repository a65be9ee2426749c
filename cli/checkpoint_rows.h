#pragma once

#include <streamrun/checkpoint/checkpoint_index.h>

#include <cstdint>
#include <string>
#include <vector>

namespace streamrun {

/// How a list of snapshots is printed.
struct RowForm {
  bool wide = false;
  bool with_status = false;  ///< and with the jobs that finished
  bool shorten_ids = false;  ///< for a terminal: 8 digits of a job's id in paths
  std::int64_t now_unix_ms = 0;
  std::string working_directory;  ///< paths inside it are shown relative to it
};

/// A list of snapshots, and of the jobs that ended by themselves, as a table with titles.
std::string checkpoint_table(const std::vector<SnapshotEntry>& entries,
                             const std::vector<JobFolder>& finished, const RowForm& form);
/// As one JSON document: `checkpoints`, and with `with_finished` also `finished`.
std::string checkpoint_json(const std::vector<SnapshotEntry>& entries,
                            const std::vector<JobFolder>& finished, bool with_finished);

const char* name_of(SnapshotStatus status);

}  // namespace streamrun
