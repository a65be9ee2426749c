#include <streamrun/graph/job_graph.h>

#include <string>

#include <catch2/catch.hpp>

#include "sample_graph.h"

namespace streamrun {
namespace {

TEST_CASE("plan: as text", "[graph]") {
  CHECK(plan_as_text(word_count().build({.parallelism = 2})) ==
        R"(vertex 0  Source: lines -> Tokenize  parallelism 2 (max 128)
  Source: lines            Data Source  uid lines
  Tokenize                 Operator     no state
  --HASH--> vertex 1
  --REBALANCE--> vertex 2
vertex 1  Count "words" -> Sink: rows  parallelism 3 (max 128)
  Count "words"            Operator     uid counts
  Sink: rows               Data Sink    ! no uid
vertex 2  Audit  parallelism 1 (max 128)
  Audit                    Operator     no state
)");
}

TEST_CASE("plan: as JSON in Flink's shape", "[graph]") {
  CHECK(plan_as_json(word_count().build({.parallelism = 2})) == R"({
  "nodes": [
    {
      "id": 1,
      "type": "Source: lines",
      "pact": "Data Source",
      "contents": "Source: lines",
      "parallelism": 2,
      "uid": "lines",
      "operator_id": "eae5c6d2bc3e7d57a36526fbb842351e",
      "vertex": 0
    },
    {
      "id": 2,
      "type": "Tokenize",
      "pact": "Operator",
      "contents": "Tokenize",
      "parallelism": 2,
      "operator_id": "89b1a852c0eddbf60963211841712067",
      "vertex": 0,
      "predecessors": [
        {
          "id": 1,
          "ship_strategy": "FORWARD",
          "side": "second"
        }
      ]
    },
    {
      "id": 3,
      "type": "Count \"words\"",
      "pact": "Operator",
      "contents": "Count \"words\"",
      "parallelism": 3,
      "uid": "counts",
      "operator_id": "7968152a5bbe1581827fbee6788b6bd1",
      "vertex": 1,
      "predecessors": [
        {
          "id": 2,
          "ship_strategy": "HASH",
          "side": "second"
        }
      ]
    },
    {
      "id": 4,
      "type": "Sink: rows",
      "pact": "Data Sink",
      "contents": "Sink: rows",
      "parallelism": 3,
      "operator_id": "f11249d10f8e9cd8ec86ad8e083c49f5",
      "vertex": 1,
      "predecessors": [
        {
          "id": 3,
          "ship_strategy": "FORWARD",
          "side": "second"
        }
      ]
    },
    {
      "id": 5,
      "type": "Audit",
      "pact": "Operator",
      "contents": "Audit",
      "parallelism": 1,
      "operator_id": "cd25a42a66ece8470429ae62d28f9cd8",
      "vertex": 2,
      "predecessors": [
        {
          "id": 1,
          "ship_strategy": "REBALANCE",
          "side": "second"
        }
      ]
    }
  ]
})");
}

TEST_CASE("plan: as DOT", "[graph]") {
  CHECK(plan_as_dot(word_count().build({.parallelism = 2})) == R"(digraph job {
  node [shape=box];
  subgraph cluster_0 {
    label="parallelism 2";
    n0 [label="Source: lines"];
    n1 [label="Tokenize"];
  }
  subgraph cluster_1 {
    label="parallelism 3";
    n2 [label="Count \"words\""];
    n3 [label="Sink: rows"];
  }
  subgraph cluster_2 {
    label="parallelism 1";
    n4 [label="Audit"];
  }
  n0 -> n1 [label="FORWARD"];
  n2 -> n3 [label="FORWARD"];
  n1 -> n2 [label="HASH"];
  n0 -> n4 [label="REBALANCE"];
}
)");
}

TEST_CASE("plan: a name that is not UTF-8 is shown as well as can be", "[graph]") {
  SampleGraph sample;
  sample.add("Source: caf\xe9");
  const JobGraph graph = sample.build();
  CHECK(plan_as_json(graph).find("caf\ufffd") != std::string::npos);
  CHECK(plan_as_dot(graph).find("caf\ufffd") != std::string::npos);
}

TEST_CASE("plan: is the same for the same program", "[graph]") {
  CHECK(plan_as_json(word_count().build()) == plan_as_json(word_count().build()));
  CHECK(plan_as_json(word_count().build()) != plan_as_json(word_count().build({.parallelism = 4})));
}

}  // namespace
}  // namespace streamrun
