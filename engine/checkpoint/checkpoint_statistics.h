#pragma once

#include <streamrun/base/ids.h>

#include <cstdint>
#include <string>
#include <vector>

namespace streamrun {

enum class SnapshotKind { checkpoint, savepoint };

/// What one subtask's part of a snapshot took. Times in milliseconds.
struct SubtaskStatistics {
  std::string task = {};  ///< `Map (1/2)`
  std::int64_t acknowledged_unix_ms = 0;
  std::int64_t start_delay_ms = 0;  ///< from the trigger to the first barrier
  std::int64_t alignment_ms = 0;    ///< from the first barrier to the last
  std::int64_t sync_ms = 0;         ///< in which no record was processed
  std::int64_t async_ms = 0;        ///< until everything was durable
  std::uint64_t full_bytes = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t in_flight_bytes = 0;  ///< of records that the barrier overtook
  bool unaligned = false;             ///< it overtook them, or would have
  bool operator==(const SubtaskStatistics&) const = default;
};

/// What is known of a snapshot that is complete or has failed.
struct CheckpointStatistics {
  CheckpointId id = 0;
  SnapshotKind kind = SnapshotKind::checkpoint;
  std::int64_t triggered_unix_ms = 0;
  std::int64_t took_ms = 0;  ///< to the last acknowledgement, or to the failure
  std::uint64_t full_bytes = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t in_flight_bytes = 0;
  int acknowledged = 0;      ///< subtasks that had
  int subtasks = 0;          ///< of so many
  std::string failure = {};  ///< why it failed; empty: it is complete
  /// Those that acknowledged. Only a snapshot's own statistics have them.
  std::vector<SubtaskStatistics> by_subtask = {};
  bool operator==(const CheckpointStatistics&) const = default;
};

}  // namespace streamrun
