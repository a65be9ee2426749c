#include "would_restore.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/base/strings.h>
#include <streamrun/graph/job_graph.h>
#include <streamrun/runtime/job_spec.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "job_line.h"
#include "load.h"
#include "operator_rows.h"
#include "output.h"
#include "snapshot_operand.h"
#include "table.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

JobGraph graph_of(const Job& job, const CheckpointMetadata& metadata) {
  const JobGraphOptions options{.parallelism = metadata.parallelism};
  if (job.name != metadata.registered_name) return make_job_graph(list_job(job).graph, options);
  StreamExecutionEnvironment environment;
  JobArguments arguments(metadata.arguments, working_directory());
  job.program(environment, arguments);
  arguments.check();
  return make_job_graph(environment.take_graph(), options);
}

/// What the snapshot has for an operator of the job; null for one that starts empty.
const OperatorSnapshot* found_for(const OperatorId& id, const CheckpointMetadata& metadata) {
  const auto& all = metadata.operators;
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const OperatorSnapshot& snapshot) { return snapshot.id == id; });
  return found != all.end() ? &*found : nullptr;
}

std::string restores(const JobOperator& op, const OperatorSummary& summary) {
  if (summary.bytes > 0) {
    return fmt::format("{} state{}", summary.states.size(), summary.states.size() == 1 ? "" : "s");
  }
  return op.node.stateful ? "starts empty" : "keeps no state";
}

}  // namespace

int would_restore(const Invocation& invocation, const std::string& where, const std::string& job,
                  const FileSystems& stores) {
  const FoundSnapshot found = find_snapshot(where, stores);
  const CheckpointMetadata& metadata = found.snapshot.metadata;
  JobGraph graph = graph_of(find_job(*invocation.jobs, job), metadata);
  const RestorePlan plan = value_or_throw(plan_restore(graph, found.snapshot, job, false, {}));
  for (const std::string& warning : plan.warnings) print_warning(warning, invocation.global);
  Table table({"UID", "NAME", "RESTORES", "SIZE"});
  Json document = {{"v", 1}, {"fits", true}, {"operators", Json::array()}};
  for (const JobOperator& op : graph.operators) {
    const OperatorSnapshot* const snapshot = found_for(op.id, metadata);
    const OperatorSummary summary = snapshot != nullptr ? summary_of(*snapshot) : OperatorSummary();
    table.add({op.node.uid, op.node.name, restores(op, summary),
               summary.bytes > 0 ? human_bytes(summary.bytes) : ""});
    document["operators"].push_back({{"uid", op.node.uid},
                                     {"name", op.node.name},
                                     {"restores", summary.bytes > 0},
                                     {"bytes", summary.bytes}});
  }
  if (invocation.global.json) {
    print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  print(table.text());
  print_note(fmt::format("{} restores into {}", found.snapshot.directory, job), invocation.global);
  return 0;
}

}  // namespace streamrun
