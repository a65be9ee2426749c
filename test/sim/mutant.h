#pragma once

namespace streamrun::sim {

/// Bugs that the simulation knows how to have, each outside of the engine: it must find every one.
enum class Mutant {
  none = 0,
  no_file_sync = 1,       ///< sync of a file does nothing
  no_directory_sync = 2,  ///< sync of a folder does nothing
  restores_oldest = 3,    ///< a restart takes the oldest checkpoint instead of the newest
  commits_early = 4,      ///< a sink commits what it has prepared before the checkpoint is complete
  drops_committables = 5,     ///< a restore loses what was prepared and not yet committed
  position_off_by_one = 6,    ///< a source's position in a snapshot is one too far
  key_groups_off_by_one = 7,  ///< the last key group of each piece of state is not restored
  keeps_no_splits = 8,        ///< an enumerator forgets what it had not handed out yet
};
constexpr int kMutants = 8;

}  // namespace streamrun::sim
