#pragma once

#include <streamrun/checkpoint/checkpoint_coordinator.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/stream/events.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Where a snapshot lies. Without a store it is in memory.
struct SnapshotFolder {
  FileSystem* store = nullptr;
  std::string path = {};
  explicit operator bool() const { return store != nullptr; }
};

/// What has come in so far of one snapshot.
struct PendingSnapshot {
  CheckpointId id = 0;
  CheckpointReason reason = CheckpointReason::periodic;
  SnapshotKind kind = SnapshotKind::checkpoint;
  SnapshotFolder folder;
  std::string attempt;  ///< uuid
  Instant triggered{};
  std::int64_t triggered_unix_ms = 0;
  std::shared_ptr<const SnapshotTarget> target;
  std::map<int, std::string> enumerators;                        ///< by operator
  std::map<int, SubtaskStatistics> statistics;                   ///< by task
  std::map<int, std::vector<OperatorSubtaskState>> task_states;  ///< by task, in order of its chain
};

/// The files in the snapshot's own folder that these states refer to.
std::vector<std::string> files_of(const std::vector<OperatorSubtaskState>& states);
std::vector<std::string> files_of(const PendingSnapshot& pending);
/// Bytes of these states, in files or not.
std::uint64_t bytes_of(const std::vector<OperatorSubtaskState>& states);
/// Those of them that are of records in flight.
std::uint64_t in_flight_bytes_of(const std::vector<OperatorSubtaskState>& states);
/// What is known by now of the snapshot of a job with so many tasks.
CheckpointStatistics statistics_of(const PendingSnapshot& pending, std::size_t tasks);

}  // namespace streamrun
