#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/statistics_json.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <map>
#include <memory>
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
#include "state_values.h"
#include "table.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const CheckpointStatistics& statistics) {
  return statistics.kind == SnapshotKind::checkpoint ? fmt::format("chk-{}", statistics.id)
                                                     : fmt::format("savepoint {}", statistics.id);
}

Json head_as_json(const ResolvedSnapshot& snapshot) {
  const CheckpointMetadata& metadata = snapshot.metadata;
  return {{"v", 1},
          {"path", snapshot.directory},
          {"job", metadata.job_name},
          {"job_id", to_string(metadata.job_id)},
          {"kind", name_of(metadata.kind)},
          {"id", metadata.id},
          {"triggered", rfc3339(metadata.triggered_unix_ms)},
          {"completed", rfc3339(metadata.completed_unix_ms)},
          {"full_bytes", snapshot.full_bytes},
          {"parallelism", metadata.parallelism},
          {"arguments", Json(std::map(metadata.arguments.begin(), metadata.arguments.end()))},
          {"configuration", metadata.configuration},
          {"restored_from", metadata.restored_from},
          {"version", metadata.version}};
}

std::string head_as_text(const ResolvedSnapshot& snapshot) {
  const CheckpointMetadata& metadata = snapshot.metadata;
  std::string text = fmt::format(
      "{} {} of {} {}, complete {}\n{} in {} operators at parallelism {}, by streamrun {}\n",
      name_of(metadata.kind), metadata.id, metadata.job_name, to_string(metadata.job_id),
      rfc3339(metadata.completed_unix_ms), human_bytes(snapshot.full_bytes),
      metadata.operators.size(), metadata.parallelism, metadata.version);
  if (!metadata.restored_from.empty()) {
    text += fmt::format("its run started from {}\n", metadata.restored_from);
  }
  Table settings({"SETTING", "VALUE"});
  for (const auto& [name, value] : metadata.arguments) settings.add({"--" + name, value});
  for (const auto& [key, value] : metadata.configuration) settings.add({key, value});
  if (!settings.empty()) text += "\n" + settings.text();
  return text;
}

/// The operators that `--operator` leaves; E-USAGE, thrown, if there is none of that name.
std::vector<OperatorSummary> chosen_operators(const CheckpointMetadata& metadata,
                                              const Invocation& invocation) {
  const auto wanted = invocation.value("--operator");
  std::vector<OperatorSummary> chosen;
  std::vector<std::string> handles;
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    OperatorSummary summary = summary_of(snapshot);
    handles.push_back(summary.handle);
    if (!wanted || summary.handle == *wanted) chosen.push_back(std::move(summary));
  }
  if (wanted && chosen.empty()) {
    usage_error(
        fmt::format("the snapshot has no operator {}{}", *wanted, did_you_mean(*wanted, handles)));
  }
  return chosen;
}

std::string operators_as_text(const std::vector<OperatorSummary>& operators) {
  Table table({"UID", "NAME", "P", "MAX-P", "STATE", "KIND", "TYPE", "ENTRIES", "SIZE"});
  for (const OperatorSummary& each : operators) {
    const auto add = [&](const std::string& state, const std::string& kind, const std::string& type,
                         const std::string& entries, std::uint64_t bytes) {
      table.add({each.handle, each.name, std::to_string(each.parallelism),
                 std::to_string(each.max_parallelism), state, kind, type, entries,
                 human_bytes(bytes)});
    };
    for (const StateSummary& state : each.states)
      add(state.name, state.kind, state.type, std::to_string(state.entries), state.bytes);
    if (each.coordinator_bytes > 0) add("", "positions", "", "", each.coordinator_bytes);
    if (each.in_flight_records > 0) {
      add("", "in flight", "", std::to_string(each.in_flight_records), each.in_flight_bytes);
    }
    if (each.bytes == 0) add("", "", "", "", 0);
  }
  return table.empty() ? "" : "\n" + table.text();
}

Json operators_as_json(const std::vector<OperatorSummary>& operators) {
  Json array = Json::array();
  for (const OperatorSummary& each : operators) {
    Json json = {{"uid", each.handle},
                 {"name", each.name},
                 {"parallelism", each.parallelism},
                 {"max_parallelism", each.max_parallelism},
                 {"bytes", each.bytes},
                 {"coordinator_bytes", each.coordinator_bytes},
                 {"in_flight_records", each.in_flight_records},
                 {"in_flight_bytes", each.in_flight_bytes},
                 {"states", Json::array()}};
    for (const StateSummary& state : each.states) {
      json["states"].push_back({{"name", state.name},
                                {"kind", state.kind},
                                {"type", state.type},
                                {"entries", state.entries},
                                {"bytes", state.bytes}});
    }
    array.push_back(std::move(json));
  }
  return array;
}

std::string files_as_text(const ResolvedSnapshot& snapshot) {
  Table table({"FILE", "SIZE", "XXH3"});
  for (const StateFile* file : files_of(snapshot.metadata)) {
    table.add({state_file_path(snapshot.directory, *file), human_bytes(file->length), file->xxh3});
  }
  const std::uint64_t in_metadata = inline_bytes(snapshot.metadata);
  return fmt::format("\n{}{} of state stand in the metadata itself\n",
                     table.empty() ? "" : table.text() + "\n", human_bytes(in_metadata));
}

Json files_as_json(const ResolvedSnapshot& snapshot) {
  Json array = Json::array();
  for (const StateFile* file : files_of(snapshot.metadata)) {
    array.push_back({{"path", state_file_path(snapshot.directory, *file)},
                     {"bytes", file->length},
                     {"xxh3", file->xxh3}});
  }
  return array;
}

/// Newest first; then what each subtask of the snapshot itself took.
std::string history_as_text(const CheckpointMetadata& metadata) {
  Table history(
      {"SNAPSHOT", "TRIGGERED", "TOOK", "FULL", "NEW", "IN-FLIGHT", "ACKNOWLEDGED", "FAILURE"});
  const std::vector<CheckpointStatistics> newest_first(metadata.history.rbegin(),
                                                       metadata.history.rend());
  for (const CheckpointStatistics& each : newest_first) {
    history.add({name_of(each), rfc3339(each.triggered_unix_ms), human_duration(each.took_ms),
                 human_bytes(each.full_bytes), human_bytes(each.new_bytes),
                 human_bytes(each.in_flight_bytes),
                 fmt::format("{} of {}", each.acknowledged, each.subtasks), each.failure});
  }
  Table subtasks({"SUBTASK", "ACKNOWLEDGED", "START-DELAY", "ALIGNMENT", "SYNC", "ASYNC", "FULL",
                  "NEW", "IN-FLIGHT", "UNALIGNED"});
  const auto ms = [](std::int64_t value) { return fmt::format("{} ms", value); };
  if (!metadata.history.empty()) {
    for (const SubtaskStatistics& each : metadata.history.back().by_subtask) {
      subtasks.add({each.task, rfc3339(each.acknowledged_unix_ms), ms(each.start_delay_ms),
                    ms(each.alignment_ms), ms(each.sync_ms), ms(each.async_ms),
                    human_bytes(each.full_bytes), human_bytes(each.new_bytes),
                    human_bytes(each.in_flight_bytes), each.unaligned ? "yes" : "no"});
    }
  }
  return "\n" + history.text() + (subtasks.empty() ? "" : "\n" + subtasks.text());
}

}  // namespace

int inspect_command(const Invocation& invocation) {
  const std::unique_ptr<FileSystems> stores = make_file_systems(invocation.global);
  const FoundSnapshot found =
      find_snapshot(invocation.operands.empty() ? "" : invocation.operands.front(), *stores);
  const ResolvedSnapshot& snapshot = found.snapshot;
  if (invocation.has("--state")) return print_state_values(invocation, found);
  const auto operators = chosen_operators(snapshot.metadata, invocation);
  const bool history = invocation.has("--history");
  const bool files = invocation.has("--files");
  if (invocation.global.json) {
    Json document = head_as_json(snapshot);
    document["operators"] = operators_as_json(operators);
    if (files) document["files"] = files_as_json(snapshot);
    if (history) {
      document["history"] = Json::array();
      for (const CheckpointStatistics& each : snapshot.metadata.history)
        document["history"].push_back(statistics_as_json(each));
    }
    print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  print(head_as_text(snapshot) + operators_as_text(operators) +
        (files ? files_as_text(snapshot) : "") +
        (history ? history_as_text(snapshot.metadata) : ""));
  return 0;
}

}  // namespace streamrun
