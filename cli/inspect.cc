#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/resolve_snapshot.h>
#include <streamrun/checkpoint/statistics_json.h>

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "assemble.h"
#include "command_table.h"
#include "load.h"
#include "output.h"
#include "table.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

const char* name_of(SnapshotKind kind) {
  return kind == SnapshotKind::checkpoint ? "checkpoint" : "savepoint";
}

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
          {"operators", metadata.operators.size()},
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
  return text;
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
  if (invocation.operands.empty() || invocation.operands.front().empty()) {
    usage_error("which snapshot? give its folder, its _metadata, or a job's folder",
                {"streamrun list-checkpoints"});
  }
  const std::unique_ptr<FileSystems> stores = make_file_systems();
  const Location where =
      value_or_throw(parse_location(invocation.operands.front(), working_directory()));
  FileSystem& files = *value_or_throw(stores->of_scheme(where.scheme));
  const ResolvedSnapshot snapshot = value_or_throw(resolve_snapshot(files, where.path));
  const bool history = invocation.has("--history");
  if (invocation.global.json) {
    Json document = head_as_json(snapshot);
    if (history) {
      document["history"] = Json::array();
      for (const CheckpointStatistics& each : snapshot.metadata.history)
        document["history"].push_back(statistics_as_json(each));
    }
    print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  print(head_as_text(snapshot) + (history ? history_as_text(snapshot.metadata) : ""));
  return 0;
}

}  // namespace streamrun
