#pragma once

#include <streamrun/graph/job_graph.h>

#include <string>
#include <utility>

namespace streamrun {

/// A program written by hand: `add` returns the id of the node.
class SampleGraph {
 public:
  int add(StreamNode node) {
    node.id = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back().id;
  }
  int add(const std::string& name, int parallelism = 0) { return add(node_of(name, parallelism)); }
  SampleGraph& connect(int from, int to, Exchange exchange = Exchange::forward) {
    graph.edges.push_back({.from = from, .to = to, .exchange = exchange, .make_partitioner = {}});
    return *this;
  }
  static StreamNode node_of(const std::string& name, int parallelism = 0) {
    return {.uid = {},
            .name = name,
            .type = "Operator",
            .parallelism = parallelism,
            .make_operator = {},
            .make_enumerator = {}};
  }
  JobGraph build(const JobGraphOptions& options = {}) const {
    return make_job_graph(graph, options);
  }

  StreamGraph graph;
};

/// Source → Tokenize ⇒ Count → Sink, and a second sink behind the source.
inline SampleGraph word_count() {
  SampleGraph sample;
  StreamNode source = SampleGraph::node_of("Source: lines");
  source.uid = "lines";
  source.type = "Data Source";
  source.stateful = true;
  StreamNode count = SampleGraph::node_of("Count \"words\"", 3);
  count.uid = "counts";
  count.stateful = true;
  StreamNode sink = SampleGraph::node_of("Sink: rows", 3);
  sink.type = "Data Sink";
  sink.stateful = true;
  const int lines = sample.add(source);
  const int tokens = sample.add("Tokenize");
  const int counts = sample.add(count);
  const int rows = sample.add(sink);
  const int audit = sample.add("Audit", 1);
  sample.connect(lines, tokens)
      .connect(tokens, counts, Exchange::hash)
      .connect(counts, rows)
      .connect(lines, audit);
  return sample;
}

}  // namespace streamrun
