#include <streamrun/runtime/job_spec.h>
#include <streamrun/types/type_migration.h>

namespace streamrun {
namespace {

NewOperator describe(const JobOperator& op) {
  NewOperator described{.id = op.id,
                        .uid = op.node.uid,
                        .name = op.node.name,
                        .parallelism = op.node.parallelism,
                        .max_parallelism = op.node.max_parallelism,
                        .max_parallelism_is_explicit = op.max_parallelism_is_explicit,
                        .stateful = op.node.stateful,
                        .keyed = {},
                        .lists = {},
                        .inputs = {},
                        .vertex = op.vertex};
  OperatorStateShape shape = op.node.make_operator()->state_shape();
  described.keyed = std::move(shape.keyed);
  for (const OperatorListState& list : shape.lists) {
    described.lists.push_back({list.name, list.type, list.redistribution});
  }
  return described;
}

}  // namespace

Result<RestorePlan> plan_restore(JobGraph& graph, const ResolvedSnapshot& snapshot,
                                 const std::string& registered_name, bool allow_non_restored,
                                 const std::vector<std::string>& drop_state) {
  RestoreFacts facts{.snapshot = snapshot.metadata,
                     .directory = snapshot.directory,
                     .job_name = registered_name,
                     .operators = {},
                     .allow_non_restored = allow_non_restored,
                     .drop_state = drop_state,
                     .type_fits = type_fits};
  for (const JobOperator& op : graph.operators) facts.operators.push_back(describe(op));
  for (const std::vector<StreamEdge>* edges : {&graph.chained, &graph.exchanges}) {
    for (const StreamEdge& edge : *edges) {
      facts.operators[static_cast<std::size_t>(edge.to)].inputs.push_back(
          {.upstream = graph.operators[static_cast<std::size_t>(edge.from)].id,
           .is_keyed = edge.codec != nullptr && edge.codec->is_keyed(),
           .is_broadcast = edge.exchange == Exchange::broadcast,
           .type = edge.codec != nullptr ? edge.codec->type_name() : ""});
    }
  }
  RestorePlan plan = SR_TRY(decide_restore(facts));
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    JobOperator& op = graph.operators[i];
    op.node.max_parallelism = plan.operators[i].max_parallelism;
    graph.vertices[static_cast<std::size_t>(op.vertex)].max_parallelism =
        plan.operators[i].max_parallelism;
  }
  return plan;
}

}  // namespace streamrun
