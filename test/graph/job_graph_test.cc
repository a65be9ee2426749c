#include <streamrun/graph/job_graph.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "sample_graph.h"

namespace streamrun {
namespace {

std::vector<std::vector<int>> chains_of(const JobGraph& graph) {
  std::vector<std::vector<int>> chains;
  for (const JobVertex& vertex : graph.vertices) chains.push_back(vertex.operators);
  return chains;
}
using Chains = std::vector<std::vector<int>>;

Error error_of(const SampleGraph& sample, const JobGraphOptions& options = {}) {
  try {
    sample.build(options);
  } catch (const ErrorException& thrown) {
    return thrown.error();
  }
  FAIL("the graph was accepted");
  return {};
}

TEST_CASE("job graph: forward edges of equal parallelism are chained, others are not", "[graph]") {
  const JobGraph graph = word_count().build({.parallelism = 2});
  CHECK(chains_of(graph) == Chains{{0, 1}, {2, 3}, {4}});
  REQUIRE(graph.chained.size() == 2);
  REQUIRE(graph.exchanges.size() == 2);
  CHECK(graph.exchanges[0].exchange == Exchange::hash);
  CHECK(graph.vertices[0].name == "Source: lines -> Tokenize");
  CHECK(graph.vertices[0].parallelism == 2);
  CHECK(graph.vertices[1].parallelism == 3);
  CHECK(graph.operators[3].vertex == 1);
}

TEST_CASE("job graph: a forward edge between unequal parallelisms rebalances, as in Flink",
          "[graph]") {
  const JobGraph graph = word_count().build({.parallelism = 2});
  CHECK(graph.exchanges[1].exchange == Exchange::rebalance);
  REQUIRE(graph.exchanges[1].make_partitioner);
  const JobGraph equal = word_count().build({.parallelism = 1});
  CHECK(chains_of(equal) == Chains{{0, 1, 4}, {2, 3}});
}

TEST_CASE("job graph: between single subtasks every edge is chained: nothing is distributed",
          "[graph]") {
  SampleGraph sample;
  const int lines = sample.add("lines");
  const int counts = sample.add("counts");
  const int rows = sample.add("rows");
  sample.connect(lines, counts, Exchange::hash).connect(counts, rows, Exchange::rebalance);
  const JobGraph one = sample.build({.parallelism = 1});
  CHECK(chains_of(one) == Chains{{0, 1, 2}});
  CHECK(one.exchanges.empty());
  REQUIRE(one.chained.size() == 2);
  CHECK(one.chained[0].exchange == Exchange::hash);
  CHECK(chains_of(sample.build({.parallelism = 2})) == Chains{{0}, {1}, {2}});
  CHECK(chains_of(sample.build({.parallelism = 1, .chaining = false})) == Chains{{0}, {1}, {2}});
}

TEST_CASE("job graph: an operator with two inputs starts a chain", "[graph]") {
  SampleGraph sample;
  const int a = sample.add("a");
  const int b = sample.add("b");
  const int both = sample.add("both");
  const int behind = sample.add("behind");
  sample.connect(a, both).connect(b, both).connect(both, behind);
  CHECK(chains_of(sample.build()) == Chains{{0}, {1}, {2, 3}});
}

TEST_CASE("job graph: operators of different maximum parallelism are not chained", "[graph]") {
  SampleGraph sample;
  const int a = sample.add("a");
  StreamNode limited = SampleGraph::node_of("b");
  limited.max_parallelism = 64;
  const int b = sample.add(limited);
  sample.connect(a, b);
  CHECK(chains_of(sample.build()) == Chains{{0}, {1}});
  CHECK(chains_of(sample.build({.max_parallelism = 64})) == Chains{{0, 1}});
}

TEST_CASE("job graph: without chaining each operator is a vertex", "[graph]") {
  const JobGraph graph = word_count().build({.parallelism = 3, .chaining = false});
  CHECK(chains_of(graph) == Chains{{0}, {1}, {2}, {3}, {4}});
  CHECK(graph.chained.empty());
  CHECK(graph.exchanges.size() == 4);
}

TEST_CASE("job graph: operator ids come from uids, as Flink's do", "[graph]") {
  SampleGraph sample;
  StreamNode node = SampleGraph::node_of("a");
  node.uid = "source-id";
  sample.add(node);
  CHECK(to_string(sample.build().operators[0].id) == "bd9c186e89cc37a76d776844dfa8ccba");
}

TEST_CASE("job graph: a stateful operator without a uid has an id of its place, and a warning",
          "[graph]") {
  SampleGraph sample;
  StreamNode node = SampleGraph::node_of("keeps");
  node.stateful = true;
  sample.add(node);
  sample.add(node);
  sample.add("stateless");
  const JobGraph graph = sample.build();
  CHECK(graph.operators[0].id != graph.operators[1].id);
  CHECK(sample.build().operators[1].id == graph.operators[1].id);
  REQUIRE(graph.warnings.size() == 2);
  CHECK(graph.warnings[0].find("\"keeps\"") != std::string::npos);
}

TEST_CASE("job graph: two operators of one uid are refused", "[graph]") {
  SampleGraph sample;
  StreamNode node = SampleGraph::node_of("a");
  node.uid = "same";
  sample.add(node);
  sample.add(node);
  const Error error = error_of(sample);
  CHECK(error.code == ErrorCode::usage);
  CHECK(error.message.find("\"same\"") != std::string::npos);
}

TEST_CASE("job graph: a job of nothing is refused", "[graph]") {
  CHECK(error_of(SampleGraph()).code == ErrorCode::usage);
}

TEST_CASE("job graph: parallelism stays within its bounds", "[graph]") {
  SampleGraph sample;
  sample.add("a");
  CHECK(sample.build({.parallelism = 1}).vertices[0].parallelism == 1);
  CHECK(sample.build({.parallelism = 32768}).vertices[0].parallelism == 32768);
  CHECK(error_of(sample, {.parallelism = 0}).code == ErrorCode::usage);
  CHECK(error_of(sample, {.parallelism = -1}).code == ErrorCode::usage);
  CHECK(error_of(sample, {.parallelism = 32769}).code == ErrorCode::usage);
  CHECK(error_of(sample, {.parallelism = 1, .max_parallelism = 32769}).code == ErrorCode::usage);
  CHECK(error_of(sample, {.parallelism = 1, .max_parallelism = -1}).code == ErrorCode::usage);
  CHECK(error_of(sample, {.parallelism = 5, .max_parallelism = 4}).code ==
        ErrorCode::max_parallelism);
  CHECK(error_of(sample, {.parallelism = 5, .max_parallelism = 4}).where == "a");
}

TEST_CASE("job graph: the maximum parallelism is the operator's, else the job's, else Flink's",
          "[graph]") {
  SampleGraph sample;
  StreamNode own = SampleGraph::node_of("own", 2);
  own.max_parallelism = 7;
  sample.add(own);
  sample.add("default");
  sample.add("wide", 100);
  const JobGraph derived = sample.build();
  CHECK(derived.vertices[0].max_parallelism == 7);
  CHECK(derived.vertices[1].max_parallelism == 128);
  CHECK(derived.vertices[2].max_parallelism == 256);
  CHECK(derived.operators[0].max_parallelism_is_explicit);
  CHECK_FALSE(derived.operators[1].max_parallelism_is_explicit);
  const JobGraph given = sample.build({.max_parallelism = 500});
  CHECK(given.vertices[0].max_parallelism == 7);
  CHECK(given.vertices[1].max_parallelism == 500);
  CHECK(given.operators[1].max_parallelism_is_explicit);
}

TEST_CASE("job graph: is bounded when all its sources are", "[graph]") {
  SampleGraph sample = word_count();
  CHECK(sample.build().bounded());
  sample.graph.nodes[0].bounded = false;
  CHECK_FALSE(sample.build().bounded());
}

}  // namespace
}  // namespace streamrun
