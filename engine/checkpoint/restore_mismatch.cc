#include "restore_mismatch.h"

#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_files.h>

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace streamrun {
namespace {

using Row = std::array<std::string, 6>;

/// What its state is, in a word or two without blanks.
std::string kinds_of(const OperatorSnapshot& snapshot) {
  std::set<std::string> kinds;
  for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
    for (const KeyedStateHandle& handle : subtask.keyed) {
      for (const StateDescription& state : handle.states) kinds.insert(state.kind);
    }
    for (const OperatorListState& list : subtask.lists) kinds.insert(list.name);
    if (!subtask.in_flight.empty()) kinds.insert("in-flight");
  }
  if (!snapshot.coordinator_state.empty()) kinds.insert("coordinator");
  const std::string text = join({kinds.begin(), kinds.end()}, ",");
  return text.empty() ? "-" : text;
}

using Signature = std::set<std::vector<std::string>>;

Signature signature_of(const OperatorSnapshot& snapshot) {
  Signature signature;
  for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
    for (const KeyedStateHandle& handle : subtask.keyed) {
      for (const StateDescription& s : handle.states) {
        signature.insert({s.name, s.kind, s.key_type, s.namespace_type, s.value_type});
      }
    }
    for (const OperatorListState& list : subtask.lists) signature.insert({list.name, list.type});
  }
  return signature;
}

Signature signature_of(const NewOperator& op) {
  Signature signature;
  for (const StateDescription& s : op.keyed) {
    signature.insert({s.name, s.kind, s.key_type, s.namespace_type, s.value_type});
  }
  for (const ListDescription& list : op.lists) signature.insert({list.name, list.type});
  return signature;
}

bool is_in_snapshot(const RestoreFacts& facts, OperatorId id) {
  const auto& operators = facts.snapshot.operators;
  return std::any_of(operators.begin(), operators.end(), [&](const OperatorSnapshot& snapshot) {
    return snapshot.id == id && has_state(snapshot);
  });
}

/// An operator of the job that has found no state and keeps the same kinds of it: its uid was
/// changed, most likely.
const NewOperator* likely_pair(const RestoreFacts& facts, const OperatorSnapshot& snapshot) {
  const Signature wanted = signature_of(snapshot);
  if (wanted.empty()) return nullptr;
  for (const NewOperator& op : facts.operators) {
    if (op.stateful && !is_in_snapshot(facts, op.id) && signature_of(op) == wanted) return &op;
  }
  return nullptr;
}

std::string cell(const std::string& text) {
  std::string one = text.empty() ? "-" : text;
  std::replace(one.begin(), one.end(), ' ', '_');
  return one;
}

std::string remark_of(const RestoreFacts& facts, const Homeless& entry) {
  if (entry.is_stateless_now) return "(it keeps no state in this job)";
  const NewOperator* pair = likely_pair(facts, *entry.snapshot);
  if (pair == nullptr) return {};
  const std::string name = pair->uid.empty() ? pair->name : pair->uid;
  return fmt::format("(job has {}: same types, uid changed?)", name);
}

const Homeless* entry_of(const std::vector<Homeless>& homeless, const OperatorSnapshot& snapshot) {
  for (const Homeless& entry : homeless) {
    if (entry.snapshot == &snapshot) return &entry;
  }
  return nullptr;
}

std::string table_of(const std::vector<Row>& rows) {
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i)
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line += row[5];
    text +=
        (text.empty() ? "" : "\n") + std::string(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return text;
}

}  // namespace

std::string handle_of(const OperatorSnapshot& snapshot) {
  return snapshot.uid.empty() ? to_string(snapshot.id) : snapshot.uid;
}

bool has_state(const OperatorSnapshot& snapshot) {
  return has_own_state(snapshot) || std::any_of(snapshot.subtasks.begin(), snapshot.subtasks.end(),
                                                [](const OperatorSubtaskState& subtask) {
                                                  return !subtask.in_flight.empty();
                                                });
}

bool has_own_state(const OperatorSnapshot& snapshot) {
  const auto holds_some = [](const OperatorSubtaskState& subtask) {
    return !subtask.keyed.empty() ||
           std::any_of(subtask.lists.begin(), subtask.lists.end(),
                       [](const OperatorListState& list) { return !list.elements.empty(); });
  };
  return !snapshot.coordinator_state.empty() ||
         std::any_of(snapshot.subtasks.begin(), snapshot.subtasks.end(), holds_some);
}

Error mismatch_error(const RestoreFacts& facts, const std::vector<Homeless>& homeless) {
  std::vector<Row> rows = {{"UID", "NAME", "STATE", "SIZE", "IN-JOB", ""}};
  for (const OperatorSnapshot& snapshot : facts.snapshot.operators) {
    if (!has_state(snapshot)) continue;
    const Homeless* entry = entry_of(homeless, snapshot);
    rows.push_back({cell(handle_of(snapshot)), cell(snapshot.name), cell(kinds_of(snapshot)),
                    human_bytes(state_bytes(snapshot)), entry != nullptr ? "no" : "yes",
                    entry != nullptr ? remark_of(facts, *entry) : std::string()});
  }
  Error error{.code = ErrorCode::job_mismatch,
              .message = fmt::format("{} of {} operators with state {} no place in {}",
                                     homeless.size(), rows.size() - 1,
                                     homeless.size() == 1 ? "has" : "have", facts.job_name),
              .where = facts.directory,
              .why = table_of(rows),
              .retry = Retry::no};
  std::string drops;  // all in one command: with one of several left, it would be refused again
  std::uint64_t lost_bytes = 0;
  for (const Homeless& entry : homeless) {
    const NewOperator* pair = likely_pair(facts, *entry.snapshot);
    if (pair != nullptr && !entry.snapshot->uid.empty()) {
      error.tries.push_back(fmt::format("give {} the uid \"{}\" in the job  # keeps its state",
                                        pair->name, entry.snapshot->uid));
    }
    drops += " --drop-state " + handle_of(*entry.snapshot);
    lost_bytes += state_bytes(*entry.snapshot);
  }
  error.tries.push_back(fmt::format("streamrun run -s {}{}  # loses {}", facts.directory, drops,
                                    human_bytes(lost_bytes)));
  return error;
}

}  // namespace streamrun
