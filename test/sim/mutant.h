#pragma once

namespace streamrun::sim {

/// Bugs that the simulation knows how to have, each outside of the engine: it must find every one.
enum class Mutant {
  none = 0,
  no_file_sync = 1,       ///< sync of a file does nothing
  no_directory_sync = 2,  ///< sync of a folder does nothing
  restores_oldest = 3,    ///< a restart takes the oldest checkpoint instead of the newest
  commits_early = 4,      ///< a sink commits what it has prepared before the checkpoint is complete
  drops_committables = 5,       ///< a restore loses what was prepared and not yet committed
  position_off_by_one = 6,      ///< a source's position in a snapshot is one too far
  key_groups_off_by_one = 7,    ///< the last key group of each piece of state is not restored
  keeps_no_splits = 8,          ///< an enumerator forgets what it had not handed out yet
  metadata_before_state = 9,    ///< state files are synced only when their metadata is published
  cleans_by_age = 10,           ///< a start removes state files that are old, whoever needs them
  swallows_sync_errors = 11,    ///< a sync of a file that fails is taken for one that did not
  restores_by_name = 12,        ///< a restart takes the checkpoint whose path sorts last
  reuses_ids = 13,              ///< the first checkpoint after a restore has the restored one's id
  reuses_part_names = 14,       ///< a sink's parts are counted from 0 again after a restart
  accepts_failed_renames = 15,  ///< a rename that did not happen counts as one that did
  drops_last_committables =
      16,                    ///< what a sink prepares when an input has ended is never committed
  aborts_prepared = 17,      ///< what was prepared for a checkpoint is removed when that one fails
  cleans_by_prefix = 18,     ///< a sink removes every unfinished part in its folder, whosever it is
  subsumes_savepoints = 19,  ///< a checkpoint that is complete removes older savepoints too
  drops_in_flight = 20,      ///< a restore loses the records that barriers overtook
  reverses_in_flight = 21,   ///< a restore gives an operator the last batch in flight first
  shares_with_newest_only = 22,   ///< shared files that the newest checkpoint does not need go
  swallows_delivery_errors = 23,  ///< a record that Kafka did not take counts as one that it did
};
constexpr int kMutants = 23;

}  // namespace streamrun::sim
