#include <streamrun/base/strings.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "assemble.h"
#include "command_table.h"
#include "operator_rows.h"
#include "output.h"
#include "snapshot_operand.h"
#include "table.h"
#include "usage_error.h"
#include "would_restore.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

/// One line of the comparison; an empty side is one where the thing is not.
struct Difference {
  std::string what;    ///< `operator counts`, `state counts/total`, `key parallelism.default`
  std::string change;  ///< `added`, `gone` or `changed`
  std::string before;
  std::string after;
};

class Comparison {
 public:
  Comparison(const CheckpointMetadata& before, const CheckpointMetadata& after) {
    compare("job", before.job_name, after.job_name);
    compare("parallelism", std::to_string(before.parallelism), std::to_string(after.parallelism));
    compare_operators(before, after);
    compare_maps("argument", {before.arguments.begin(), before.arguments.end()},
                 {after.arguments.begin(), after.arguments.end()});
    compare_maps("key", before.configuration, after.configuration);
  }
  std::vector<Difference> take() { return std::move(found_); }

 private:
  /// Of one operator: what it holds, by the name under which it is shown.
  using Facts = std::map<std::string, std::string>;

  void compare(const std::string& what, const std::string& before, const std::string& after) {
    if (before == after) return;
    const char* const change = before.empty() ? "added" : after.empty() ? "gone" : "changed";
    found_.push_back({what, change, before, after});
  }
  void compare_maps(const std::string& kind, const Facts& before, const Facts& after) {
    std::set<std::string> names;
    for (const auto& [name, value] : before) names.insert(name);
    for (const auto& [name, value] : after) names.insert(name);
    for (const std::string& name : names) {
      const auto in = [&](const Facts& facts) {
        const auto found = facts.find(name);
        return found != facts.end() ? found->second : std::string();
      };
      compare(fmt::format("{} {}", kind, name), in(before), in(after));
    }
  }
  void compare_operators(const CheckpointMetadata& before, const CheckpointMetadata& after) {
    Facts facts_before;
    Facts facts_after;
    for (const OperatorSnapshot& each : before.operators) add_facts(each, facts_before);
    for (const OperatorSnapshot& each : after.operators) add_facts(each, facts_after);
    compare_positions(before, after);
    compare_maps("operator", facts_before, facts_after);
  }
  static void add_facts(const OperatorSnapshot& snapshot, Facts& facts) {
    const OperatorSummary summary = summary_of(snapshot);
    facts[summary.handle] = fmt::format("{} at parallelism {} of {}", summary.name,
                                        summary.parallelism, summary.max_parallelism);
    for (const StateSummary& state : summary.states) {
      facts[fmt::format("{}/{}", summary.handle, state.name)] = fmt::format(
          "{} {}, {} entries, {}", state.kind, state.type, state.entries, human_bytes(state.bytes));
    }
    if (summary.in_flight_records > 0) {
      facts[summary.handle + " in flight"] = fmt::format(
          "{} records, {}", summary.in_flight_records, human_bytes(summary.in_flight_bytes));
    }
  }
  /// How far a source has read is in its enumerator and its splits, which only it can read.
  void compare_positions(const CheckpointMetadata& before, const CheckpointMetadata& after) {
    for (const OperatorSnapshot& old : before.operators) {
      for (const OperatorSnapshot& now : after.operators) {
        if (old.id != now.id || old.coordinator_state.empty()) continue;
        if (positions_of(old) == positions_of(now)) continue;
        found_.push_back({"position of " + summary_of(now).handle, "changed",
                          fmt::format("at {} {}", name_of(before.kind), before.id),
                          fmt::format("at {} {}", name_of(after.kind), after.id)});
      }
    }
  }
  static std::pair<std::string, std::vector<std::string>> positions_of(
      const OperatorSnapshot& snapshot) {
    std::vector<std::string> splits;
    for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
      for (const OperatorListState& list : subtask.lists)
        splits.insert(splits.end(), list.elements.begin(), list.elements.end());
    }
    return {snapshot.coordinator_state, std::move(splits)};
  }

  std::vector<Difference> found_;
};

void write(const std::vector<Difference>& differences, const GlobalFlags& global) {
  if (global.json) {
    Json document = {{"v", 1}, {"differences", Json::array()}};
    for (const Difference& each : differences) {
      document["differences"].push_back({{"what", each.what},
                                         {"change", each.change},
                                         {"before", each.before},
                                         {"after", each.after}});
    }
    return print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  if (differences.empty()) return print_note("no difference", global);
  Table table({"WHAT", "CHANGE", "A", "B"});
  for (const Difference& each : differences)
    table.add({each.what, each.change, each.before, each.after});
  print(table.text());
}

}  // namespace

int diff_command(const Invocation& invocation) {
  const std::unique_ptr<FileSystems> stores = make_file_systems(invocation.global);
  const auto job = invocation.value("--job");
  const std::size_t wanted = job ? 1 : 2;
  if (invocation.operands.size() != wanted) {
    usage_error(
        job ? "diff --job takes one snapshot" : "diff takes two snapshots, or one and --job",
        {"streamrun list-checkpoints", "streamrun help diff"});
  }
  if (job) return would_restore(invocation, invocation.operands.front(), *job, *stores);
  const FoundSnapshot before = find_snapshot(invocation.operands[0], *stores);
  const FoundSnapshot after = find_snapshot(invocation.operands[1], *stores);
  const std::vector<Difference> differences =
      Comparison(before.snapshot.metadata, after.snapshot.metadata).take();
  write(differences, invocation.global);
  return !differences.empty() && invocation.has("--exit-code") ? 1 : 0;
}

}  // namespace streamrun
