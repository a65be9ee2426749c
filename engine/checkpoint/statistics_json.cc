#include <streamrun/checkpoint/statistics_json.h>

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

Json as_json(const SubtaskStatistics& subtask) {
  return {{"task", subtask.task},
          {"acknowledged_unix_ms", subtask.acknowledged_unix_ms},
          {"start_delay_ms", subtask.start_delay_ms},
          {"alignment_ms", subtask.alignment_ms},
          {"sync_ms", subtask.sync_ms},
          {"async_ms", subtask.async_ms},
          {"full_bytes", subtask.full_bytes},
          {"new_bytes", subtask.new_bytes},
          {"in_flight_bytes", subtask.in_flight_bytes},
          {"unaligned", subtask.unaligned}};
}

}  // namespace

Json statistics_as_json(const CheckpointStatistics& statistics) {
  Json json = {{"id", statistics.id},
               {"kind", statistics.kind == SnapshotKind::checkpoint ? "checkpoint" : "savepoint"},
               {"triggered_unix_ms", statistics.triggered_unix_ms},
               {"took_ms", statistics.took_ms},
               {"full_bytes", statistics.full_bytes},
               {"new_bytes", statistics.new_bytes},
               {"in_flight_bytes", statistics.in_flight_bytes},
               {"acknowledged", statistics.acknowledged},
               {"subtasks", statistics.subtasks},
               {"failure", statistics.failure},
               {"by_subtask", Json::array()}};
  for (const SubtaskStatistics& subtask : statistics.by_subtask)
    json["by_subtask"].push_back(as_json(subtask));
  return json;
}

}  // namespace streamrun
