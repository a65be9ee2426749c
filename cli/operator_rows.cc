#include "operator_rows.h"

#include <streamrun/checkpoint/snapshot_files.h>

namespace streamrun {
namespace {

const char* kind_of(Redistribution redistribution) {
  switch (redistribution) {
    case Redistribution::split:
    case Redistribution::by_subtask:
      return "list";
    case Redistribution::union_all:
      return "union";
    case Redistribution::broadcast:
      return "broadcast";
  }
  return "?";
}

StateSummary& state_of(OperatorSummary& summary, const std::string& name, const std::string& kind,
                       const std::string& type) {
  for (StateSummary& state : summary.states) {
    if (state.name == name && state.kind == kind) return state;
  }
  return summary.states.emplace_back(
      StateSummary{.name = name, .kind = kind, .type = type, .entries = 0, .bytes = 0});
}

void add(OperatorSummary& summary, const KeyedStateHandle& handle) {
  for (std::size_t i = 0; i < handle.states.size(); ++i) {
    const StateDescription& each = handle.states[i];
    StateSummary& state =
        state_of(summary, each.name, each.kind, each.key_type + " -> " + each.value_type);
    state.entries += handle.entries;
    for (const StateHandle& piece : handle.pieces) {
      // Others hold values of all states, side by side.
      const bool is_of_another = piece.sst && piece.sst->state != static_cast<int>(i);
      if (!is_of_another) state.bytes += piece.size();
    }
  }
}

void add(OperatorSummary& summary, const OperatorListState& list) {
  StateSummary& state = state_of(summary, list.name, kind_of(list.redistribution), list.type);
  state.entries += list.elements.size();
  for (const std::string& element : list.elements) state.bytes += element.size();
}

}  // namespace

OperatorSummary summary_of(const OperatorSnapshot& snapshot) {
  OperatorSummary summary{.handle = snapshot.uid.empty() ? to_string(snapshot.id) : snapshot.uid,
                          .name = snapshot.name,
                          .parallelism = snapshot.parallelism,
                          .max_parallelism = snapshot.max_parallelism,
                          .states = {},
                          .coordinator_bytes = snapshot.coordinator_state.size(),
                          .bytes = state_bytes(snapshot)};
  for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
    for (const KeyedStateHandle& handle : subtask.keyed) add(summary, handle);
  }
  for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
    for (const OperatorListState& list : subtask.lists) add(summary, list);
    for (const InFlightHandle& in_flight : subtask.in_flight) {
      summary.in_flight_records += in_flight.records;
      summary.in_flight_bytes += in_flight.data.size();
    }
  }
  return summary;
}

}  // namespace streamrun
