#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/base/error.h>
#include <streamrun/config/options.h>
#include <streamrun/graph/job_graph.h>

#include <nlohmann/json.hpp>

#include "command_table.h"
#include "job_line.h"
#include "load.h"
#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

/// With no arguments at all the plan is drawn from placeholders, so that a look costs nothing.
StreamGraph graph_of(const JobLine& line) {
  if (line.arguments.empty()) return list_job(*line.job).graph;
  StreamExecutionEnvironment environment;
  JobArguments arguments(line.arguments, working_directory());
  line.job->program(environment, arguments);
  arguments.check();
  return environment.take_graph();
}

JobGraphOptions graph_options(const Invocation& invocation) {
  std::vector<FlagSetting> flags;
  if (const auto parallelism = parallelism_flag(invocation)) {
    flags.push_back({std::string(options::kParallelism.key), std::to_string(*parallelism), "-p"});
  }
  const Configuration configuration =
      load_for_command(invocation.global, flags, {}, "").configuration;
  const int max_parallelism = configuration.get(options::kMaxParallelism);
  return {.parallelism = configuration.get(options::kParallelism),
          .max_parallelism = max_parallelism < 0 ? 0 : max_parallelism,
          .chaining = configuration.get(options::kOperatorChaining)};
}

std::string text_of(const JobGraph& graph, const Invocation& invocation) {
  if (invocation.global.json) {
    const auto plan = nlohmann::ordered_json::parse(plan_as_json(graph));
    return nlohmann::ordered_json{{"v", 1}, {"plan", plan}}.dump(2) + "\n";
  }
  const std::string form = invocation.value("--output").value_or("text");
  if (form == "json") return plan_as_json(graph) + "\n";
  return form == "dot" ? plan_as_dot(graph) : plan_as_text(graph);
}

}  // namespace

int info_command(const Invocation& invocation) {
  const JobLine line = read_job_line(invocation);
  if (line.job == nullptr) usage_error("info needs the name of a job", {"streamrun jobs"});
  if (line.help) {
    print(job_help(*line.job));
    return 0;
  }
  const JobGraph graph = make_job_graph(graph_of(line), graph_options(invocation));
  for (const std::string& warning : graph.warnings) print_warning(warning, invocation.global);
  print(text_of(graph, invocation));
  return 0;
}

}  // namespace streamrun
