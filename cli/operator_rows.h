#pragma once

#include <streamrun/checkpoint/checkpoint_metadata.h>

#include <cstdint>
#include <string>
#include <vector>

namespace streamrun {

/// What one state of an operator comes to over all subtasks of a snapshot.
struct StateSummary {
  std::string name;
  std::string kind;  ///< `value`, `map`, …; `list`, `union` or `broadcast` of operator state
  std::string type;  ///< `int64 -> string` of keyed state
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  bool operator==(const StateSummary&) const = default;
};

/// What a snapshot holds of one operator.
struct OperatorSummary {
  std::string handle;  ///< uid, or id where there is none
  std::string name;
  int parallelism = 1;
  int max_parallelism = 128;
  /// Keyed states first. Those of one key lie side by side, so that all have the entries and bytes
  /// of all together.
  std::vector<StateSummary> states;
  std::uint64_t coordinator_bytes = 0;  ///< of a source's enumerator
  std::uint64_t in_flight_records = 0;
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t bytes = 0;  ///< of everything
  bool operator==(const OperatorSummary&) const = default;
};

OperatorSummary summary_of(const OperatorSnapshot& snapshot);

}  // namespace streamrun
