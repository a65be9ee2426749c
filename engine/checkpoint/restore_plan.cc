#include <streamrun/base/key_groups.h>
#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/restore_plan.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "redistribution.h"
#include "restore_mismatch.h"

namespace streamrun {
namespace {

Error mismatch(const RestoreFacts& facts, const OperatorSnapshot& snapshot, std::string what) {
  return {.code = ErrorCode::job_mismatch,
          .message = fmt::format("operator {} ({}): {}", handle_of(snapshot), snapshot.name, what),
          .where = facts.directory,
          .tries = {fmt::format("streamrun run -s {} --drop-state {}  # loses its state",
                                facts.directory, handle_of(snapshot))},
          .retry = Retry::no};
}

Error max_parallelism_error(const RestoreFacts& facts, const NewOperator& op, std::string what,
                            std::string why) {
  return {.code = ErrorCode::max_parallelism,
          .message = fmt::format("operator {}: {}", op.name, what),
          .where = facts.directory,
          .why = std::move(why),
          .retry = Retry::no};
}

/// Reads the facts once, then answers operator by operator.
class Decision {
 public:
  explicit Decision(const RestoreFacts& facts) : facts_(facts) {
    for (const NewOperator& op : facts_.operators) new_operators_[op.id] = &op;
  }

  Result<RestorePlan> decide() {
    SR_TRY(check_drop_list());
    SR_TRY(find_places());
    warn_of_other_job();
    for (const NewOperator& op : facts_.operators) plan_.operators.push_back(SR_TRY(plan_of(op)));
    SR_TRY(check_chains());
    return std::move(plan_);
  }

 private:
  bool is_dropped(const OperatorSnapshot& snapshot) const {
    const auto& drop = facts_.drop_state;
    return std::any_of(drop.begin(), drop.end(), [&](const std::string& name) {
      return name == snapshot.uid || name == to_string(snapshot.id);
    });
  }

  Result<void> check_drop_list() const {
    std::vector<std::string> known;
    for (const OperatorSnapshot& snapshot : facts_.snapshot.operators) {
      known.push_back(handle_of(snapshot));
      known.push_back(to_string(snapshot.id));
    }
    for (const std::string& name : facts_.drop_state) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string nearest = nearest_of(name, known);
      return Error{
          .code = ErrorCode::usage,
          .message = fmt::format("--drop-state {}: the snapshot has no such operator", name),
          .where = facts_.directory,
          .why = nearest.empty() ? "" : fmt::format("did you mean {}?", nearest),
          .retry = Retry::no};
    }
    return {};
  }

  /// Pairs each state with its operator; what has none is dropped if that was asked for, else an
  /// error.
  Result<void> find_places() {
    std::vector<Homeless> homeless;
    for (const OperatorSnapshot& snapshot : facts_.snapshot.operators) {
      if (!has_state(snapshot)) continue;
      if (is_dropped(snapshot)) {
        plan_.dropped.push_back(handle_of(snapshot));
        continue;
      }
      const auto found = new_operators_.find(snapshot.id);
      const bool is_there = found != new_operators_.end();
      if (is_there && (found->second->stateful || !has_own_state(snapshot))) {
        restored_[snapshot.id] = &snapshot;
      } else if (facts_.allow_non_restored) {
        plan_.dropped.push_back(handle_of(snapshot));
      } else {
        homeless.push_back({.snapshot = &snapshot, .is_stateless_now = is_there});
      }
    }
    if (!homeless.empty()) return mismatch_error(facts_, homeless);
    return {};
  }

  void warn_of_other_job() {
    const std::string& writer = facts_.snapshot.registered_name;
    if (writer == facts_.job_name) return;
    plan_.warnings.push_back(
        fmt::format("the snapshot was written by the job {}, not {}", writer, facts_.job_name));
  }

  Result<OperatorRestore> plan_of(const NewOperator& op) const {
    OperatorRestore restore;
    restore.id = op.id;
    restore.max_parallelism = op.max_parallelism;
    const auto found = restored_.find(op.id);
    if (found == restored_.end()) {
      restore.subtasks.resize(static_cast<std::size_t>(op.parallelism));
      return restore;
    }
    const OperatorSnapshot& snapshot = *found->second;
    SR_TRY(check_max_parallelism(op, snapshot));
    SR_TRY(check_states(op, snapshot));
    restore.max_parallelism = snapshot.max_parallelism;
    restore.restored = true;
    restore.coordinator_state = snapshot.coordinator_state;
    restore.subtasks = redistribute(snapshot, op.parallelism);
    make_paths_absolute(restore.subtasks);
    return restore;
  }

  Result<void> check_max_parallelism(const NewOperator& op,
                                     const OperatorSnapshot& snapshot) const {
    if (op.max_parallelism_is_explicit && op.max_parallelism != snapshot.max_parallelism) {
      return max_parallelism_error(
          facts_, op,
          fmt::format("max parallelism {} is set, the snapshot has {}", op.max_parallelism,
                      snapshot.max_parallelism),
          "keys are spread by it for good; unset it or set the snapshot's");
    }
    if (op.parallelism > snapshot.max_parallelism) {
      return max_parallelism_error(
          facts_, op,
          fmt::format("parallelism {} is above the snapshot's max parallelism {}", op.parallelism,
                      snapshot.max_parallelism),
          "each subtask needs a key group of its own");
    }
    return {};
  }

  bool type_fits(const std::string& old_type, const std::string& new_type) const {
    return old_type == new_type || (facts_.type_fits && facts_.type_fits(old_type, new_type));
  }

  Result<void> check_states(const NewOperator& op, const OperatorSnapshot& snapshot) const {
    for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
      for (const KeyedStateHandle& handle : subtask.keyed) {
        for (const StateDescription& state : handle.states)
          SR_TRY(check_keyed(op, snapshot, state));
      }
      for (const OperatorListState& list : subtask.lists) SR_TRY(check_list(op, snapshot, list));
      for (const InFlightHandle& handle : subtask.in_flight) {
        SR_TRY(check_in_flight(op, snapshot, handle));
      }
    }
    return {};
  }

  Result<void> check_keyed(const NewOperator& op, const OperatorSnapshot& snapshot,
                           const StateDescription& state) const {
    const auto declared =
        std::find_if(op.keyed.begin(), op.keyed.end(),
                     [&](const auto& candidate) { return candidate.name == state.name; });
    if (declared == op.keyed.end()) return undeclared(snapshot, state.name);
    const std::pair<std::string, std::string> facets[] = {
        {state.kind, declared->kind},
        {state.key_type, declared->key_type},
        {state.namespace_type, declared->namespace_type},
        {state.value_type, declared->value_type}};
    const char* const names[] = {"kind", "key type", "namespace type", "value type"};
    for (std::size_t i = 0; i < std::size(facets); ++i) {
      const auto& [old_facet, new_facet] = facets[i];
      // Keys and windows decide where a value is, so only what it is may have changed.
      const bool fits = i == 3 ? type_fits(old_facet, new_facet) : old_facet == new_facet;
      if (!fits) return changed(snapshot, state.name, names[i], old_facet, new_facet);
    }
    return {};
  }

  Result<void> check_list(const NewOperator& op, const OperatorSnapshot& snapshot,
                          const OperatorListState& list) const {
    const auto declared =
        std::find_if(op.lists.begin(), op.lists.end(),
                     [&](const auto& candidate) { return candidate.name == list.name; });
    if (declared == op.lists.end()) {
      if (list.elements.empty()) return {};
      return undeclared(snapshot, list.name);
    }
    if (list.type != declared->type) {
      return changed(snapshot, list.name, "type", list.type, declared->type);
    }
    if (list.redistribution == declared->redistribution) return {};
    return mismatch(facts_, snapshot,
                    fmt::format("list \"{}\" is redistributed in another way", list.name));
  }

  Result<void> check_in_flight(const NewOperator& op, const OperatorSnapshot& snapshot,
                               const InFlightHandle& handle) const {
    std::string problem = "the job no longer has the edge on which";
    for (const InputDescription& input : op.inputs) {
      if (input.upstream != handle.upstream) continue;
      if (input.type != handle.type || input.type.empty()) {
        problem = fmt::format("the job has {} on the edge on which",
                              input.type.empty() ? "unserializable records" : input.type);
      } else if (input.is_keyed != (handle.mapper == SubtaskStateMapper::range) ||
                 input.is_broadcast) {
        problem = "the job partitions in another way the edge on which";
      } else {
        return {};
      }
    }
    Error error =
        mismatch(facts_, snapshot,
                 fmt::format("{} {} records of type {} from operator {} were in flight", problem,
                             handle.records, handle.type, name_of(handle.upstream)));
    error.tries.insert(
        error.tries.begin(),
        "resume the job as it was and stop it with a savepoint, which has no records in flight");
    return error;
  }

  std::string name_of(const OperatorId& id) const {
    for (const OperatorSnapshot& snapshot : facts_.snapshot.operators) {
      if (snapshot.id == id) return fmt::format("{} ({})", handle_of(snapshot), snapshot.name);
    }
    return to_string(id);
  }

  Error undeclared(const OperatorSnapshot& snapshot, const std::string& state) const {
    return mismatch(facts_, snapshot, fmt::format("the job no longer has its state \"{}\"", state));
  }

  Error changed(const OperatorSnapshot& snapshot, const std::string& state, const char* facet,
                const std::string& old_facet, const std::string& new_facet) const {
    return mismatch(facts_, snapshot,
                    fmt::format("state \"{}\" has {} {} in the snapshot and {} in the job", state,
                                facet, old_facet, new_facet));
  }

  void make_paths_absolute(std::vector<OperatorSubtaskState>& subtasks) const {
    for (OperatorSubtaskState& subtask : subtasks) {
      for_each_data(subtask, [&](StateHandle& data) {
        if (data.file) data.file->path = state_file_path(facts_.directory, *data.file);
      });
    }
  }

  /// A chain is one vertex, which has one max parallelism: an operator that starts empty takes it
  /// over.
  Result<void> check_chains() {
    std::map<int, int> of_vertex;
    for (std::size_t i = 0; i < facts_.operators.size(); ++i) {
      const NewOperator& op = facts_.operators[i];
      const OperatorRestore& restore = plan_.operators[i];
      if (op.vertex < 0 || !restore.restored) continue;
      const auto [entry, is_first] = of_vertex.emplace(op.vertex, restore.max_parallelism);
      if (is_first || entry->second == restore.max_parallelism) continue;
      return max_parallelism_error(
          facts_, op,
          fmt::format("the snapshot has max parallelism {} for it and {} for another of its chain",
                      restore.max_parallelism, entry->second),
          "operators of one chain share their key groups; keep them apart in the job");
    }
    for (std::size_t i = 0; i < facts_.operators.size(); ++i) {
      const auto entry = of_vertex.find(facts_.operators[i].vertex);
      if (entry == of_vertex.end()) continue;
      SR_TRY(check_adopted(facts_.operators[i], entry->second));
      plan_.operators[i].max_parallelism = entry->second;
    }
    return {};
  }

  Result<void> check_adopted(const NewOperator& op, int max_parallelism) const {
    if (!op.max_parallelism_is_explicit || op.max_parallelism == max_parallelism) return {};
    return max_parallelism_error(
        facts_, op,
        fmt::format("max parallelism {} is set, its chain has {} in the snapshot",
                    op.max_parallelism, max_parallelism),
        "operators of one chain share their key groups");
  }

  const RestoreFacts& facts_;
  std::map<OperatorId, const NewOperator*> new_operators_;
  std::map<OperatorId, const OperatorSnapshot*> restored_;
  RestorePlan plan_;
};

}  // namespace

Result<RestorePlan> decide_restore(const RestoreFacts& facts) {
  return Decision(facts).decide();
}

}  // namespace streamrun
