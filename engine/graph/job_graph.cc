#include <streamrun/base/strings.h>
#include <streamrun/graph/job_graph.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

void check_parallelism(const StreamNode& node, int parallelism, int max_parallelism) {
  if (parallelism < 1 || parallelism > kMaxParallelismLimit) {
    throw_error({.code = ErrorCode::usage,
                 .message = fmt::format("the parallelism must be between 1 and {}, not {}",
                                        kMaxParallelismLimit, parallelism),
                 .where = node.name});
  }
  if (max_parallelism < 1 || max_parallelism > kMaxParallelismLimit) {
    throw_error({.code = ErrorCode::usage,
                 .message = fmt::format("the maximum parallelism must be between 1 and {}, not {}",
                                        kMaxParallelismLimit, max_parallelism),
                 .where = node.name});
  }
  if (parallelism > max_parallelism) {
    throw_error(
        {.code = ErrorCode::max_parallelism,
         .message = fmt::format("the parallelism {} is above the maximum parallelism {}",
                                parallelism, max_parallelism),
         .where = node.name,
         .tries = {
             "lower it with -p, or start without -s and with a larger pipeline.max-parallelism"}});
  }
}

class Builder {
 public:
  Builder(StreamGraph graph, const JobGraphOptions& options)
      : stream_(std::move(graph)), options_(options) {}

  JobGraph build() {
    if (stream_.nodes.empty()) {
      throw_error(
          {.code = ErrorCode::usage, .message = "the job has no operators: it does nothing"});
    }
    for (StreamNode& node : stream_.nodes) add_operator(std::move(node));
    choose_edges();
    for (std::size_t i = 0; i < graph_.operators.size(); ++i) place(static_cast<int>(i));
    for (StreamEdge& edge : stream_.edges) {
      (is_chained(edge) ? graph_.chained : graph_.exchanges).push_back(std::move(edge));
    }
    name_vertices();
    return std::move(graph_);
  }

 private:
  void add_operator(StreamNode node) {
    JobOperator added;
    const int parallelism = node.parallelism != 0 ? node.parallelism : options_.parallelism;
    added.max_parallelism_is_explicit = node.max_parallelism != 0 || options_.max_parallelism != 0;
    int max_parallelism =
        node.max_parallelism != 0 ? node.max_parallelism : options_.max_parallelism;
    if (max_parallelism == 0) max_parallelism = default_max_parallelism(parallelism);
    check_parallelism(node, parallelism, max_parallelism);
    node.parallelism = parallelism;
    node.max_parallelism = max_parallelism;
    if (!node.uid.empty() && !uids_.insert(node.uid).second) {
      throw_error({.code = ErrorCode::usage,
                   .message = fmt::format("two operators have the uid \"{}\"", node.uid),
                   .tries = {"give each operator a uid of its own"}});
    }
    if (node.uid.empty() && node.stateful) {
      graph_.warnings.push_back(
          fmt::format("operator \"{}\" keeps state but has no uid: its state is lost when the "
                      "job's shape changes",
                      node.name));
    }
    added.id = operator_id_of(node.uid.empty() ? fmt::format("position-{}-{}", node.id, node.name)
                                               : node.uid);
    added.node = std::move(node);
    graph_.operators.push_back(std::move(added));
  }

  const StreamNode& node(int id) const {
    return graph_.operators[static_cast<std::size_t>(id)].node;
  }

  /// A forward edge between different parallelisms has to rebalance, as in Flink.
  void choose_edges() {
    for (StreamEdge& edge : stream_.edges) {
      if (edge.exchange != Exchange::forward ||
          node(edge.from).parallelism == node(edge.to).parallelism)
        continue;
      edge.exchange = Exchange::rebalance;
      edge.make_partitioner = [](Senders senders, int subtask,
                                 int) -> std::unique_ptr<Partitioner> {
        return std::make_unique<RebalancePartitioner>(std::move(senders), subtask);
      };
    }
  }

  bool is_chained(const StreamEdge& edge) const {
    const auto inputs = std::count_if(stream_.edges.begin(), stream_.edges.end(),
                                      [&](const StreamEdge& other) { return other.to == edge.to; });
    const bool distributes = edge.exchange != Exchange::forward && node(edge.to).parallelism > 1;
    return options_.chaining && inputs == 1 && !distributes &&
           node(edge.from).parallelism == node(edge.to).parallelism &&
           node(edge.from).max_parallelism == node(edge.to).max_parallelism;
  }

  /// Nodes come in an order in which inputs stand before outputs, so the chain that it joins
  /// exists.
  void place(int id) {
    for (const StreamEdge& edge : stream_.edges) {
      if (edge.to != id || !is_chained(edge)) continue;
      const int vertex = graph_.operators[static_cast<std::size_t>(edge.from)].vertex;
      graph_.operators[static_cast<std::size_t>(id)].vertex = vertex;
      graph_.vertices[static_cast<std::size_t>(vertex)].operators.push_back(id);
      return;
    }
    JobVertex vertex;
    vertex.id = static_cast<int>(graph_.vertices.size());
    vertex.operators = {id};
    vertex.parallelism = node(id).parallelism;
    vertex.max_parallelism = node(id).max_parallelism;
    graph_.operators[static_cast<std::size_t>(id)].vertex = vertex.id;
    graph_.vertices.push_back(std::move(vertex));
  }

  void name_vertices() {
    for (JobVertex& vertex : graph_.vertices) {
      std::vector<std::string> names;
      for (const int id : vertex.operators) names.push_back(node(id).name);
      vertex.name = join(names, " -> ");
    }
  }

  StreamGraph stream_;
  JobGraphOptions options_;
  JobGraph graph_;
  std::set<std::string> uids_;
};

}  // namespace

const char* to_string(Exchange exchange) {
  switch (exchange) {
    case Exchange::forward:
      return "FORWARD";
    case Exchange::hash:
      return "HASH";
    case Exchange::rebalance:
      return "REBALANCE";
    case Exchange::broadcast:
      return "BROADCAST";
  }
  return "?";
}

bool JobGraph::bounded() const {
  return std::all_of(operators.begin(), operators.end(),
                     [](const JobOperator& each) { return each.node.bounded; });
}

JobGraph make_job_graph(StreamGraph graph, const JobGraphOptions& options) {
  return Builder(std::move(graph), options).build();
}

}  // namespace streamrun
