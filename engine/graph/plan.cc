#include <streamrun/base/strings.h>
#include <streamrun/graph/job_graph.h>

#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace streamrun {
namespace {

const StreamNode& node_of(const JobGraph& graph, int id) {
  return graph.operators[static_cast<std::size_t>(id)].node;
}

std::vector<const StreamEdge*> edges_to(const JobGraph& graph, int id) {
  std::vector<const StreamEdge*> found;
  for (const auto* edges : {&graph.chained, &graph.exchanges}) {
    for (const StreamEdge& edge : *edges) {
      if (edge.to == id) found.push_back(&edge);
    }
  }
  return found;
}

/// A name may come from a path, and so hold bytes that are not UTF-8.
std::string dump(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string plan_as_text(const JobGraph& graph) {
  std::string text;
  for (const JobVertex& vertex : graph.vertices) {
    text += fmt::format("vertex {}  {}  parallelism {} (max {})\n", vertex.id, vertex.name,
                        vertex.parallelism, vertex.max_parallelism);
    for (const int id : vertex.operators) {
      const StreamNode& node = node_of(graph, id);
      const std::string uid = !node.uid.empty() ? "uid " + node.uid
                              : node.stateful   ? "! no uid"
                                                : "no state";
      text += fmt::format("  {:<24} {:<12} {}\n", node.name, node.type, uid);
    }
    for (const StreamEdge& edge : graph.exchanges) {
      const int target = graph.operators[static_cast<std::size_t>(edge.to)].vertex;
      if (graph.operators[static_cast<std::size_t>(edge.from)].vertex != vertex.id) continue;
      text += fmt::format("  --{}--> vertex {}\n", to_string(edge.exchange), target);
    }
  }
  return text;
}

std::string plan_as_json(const JobGraph& graph) {
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (const JobOperator& each : graph.operators) {
    const StreamNode& node = each.node;
    nlohmann::ordered_json entry = {{"id", node.id + 1},
                                    {"type", node.name},
                                    {"pact", node.type},
                                    {"contents", node.name},
                                    {"parallelism", node.parallelism}};
    if (!node.uid.empty()) entry["uid"] = node.uid;
    entry["operator_id"] = to_string(each.id);
    entry["vertex"] = each.vertex;
    nlohmann::ordered_json predecessors = nlohmann::ordered_json::array();
    for (const StreamEdge* edge : edges_to(graph, node.id)) {
      predecessors.push_back({{"id", edge->from + 1},
                              {"ship_strategy", to_string(edge->exchange)},
                              {"side", "second"}});
    }
    if (!predecessors.empty()) entry["predecessors"] = std::move(predecessors);
    nodes.push_back(std::move(entry));
  }
  return dump({{"nodes", std::move(nodes)}}, 2);
}

std::string plan_as_dot(const JobGraph& graph) {
  std::string text = "digraph job {\n  node [shape=box];\n";
  for (const JobVertex& vertex : graph.vertices) {
    text += fmt::format("  subgraph cluster_{} {{\n    label=\"parallelism {}\";\n", vertex.id,
                        vertex.parallelism);
    for (const int id : vertex.operators) {
      text += fmt::format("    n{} [label={}];\n", id, dump(node_of(graph, id).name, -1));
    }
    text += "  }\n";
  }
  for (const auto* edges : {&graph.chained, &graph.exchanges}) {
    for (const StreamEdge& edge : *edges) {
      text += fmt::format("  n{} -> n{} [label=\"{}\"];\n", edge.from, edge.to,
                          to_string(edge.exchange));
    }
  }
  return text + "}\n";
}

}  // namespace streamrun
