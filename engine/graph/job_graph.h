#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/stream/batch_codec.h>
#include <streamrun/stream/partitioner.h>
#include <streamrun/stream/source.h>
#include <streamrun/stream/stream_operator.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// How the records of an edge reach the subtasks downstream. The names are Flink's ship strategies.
enum class Exchange { forward, hash, rebalance, broadcast };
const char* to_string(Exchange exchange);

/// One operator of a job as a plain value: what it is and how to make one for a subtask.
struct StreamNode {
  int id = 0;
  std::string uid;  ///< empty if the job gave none
  std::string name;
  std::string type;         ///< `Data Source`, `Operator` or `Data Sink`, as in Flink's plan
  int parallelism = 0;      ///< 0: the job's default
  int max_parallelism = 0;  ///< 0: the job's, or derived
  bool stateful = false;    ///< it keeps state that a restore must match
  bool bounded = true;      ///< of a source: its input ends
  std::function<std::unique_ptr<StreamOperator>()> make_operator;
  std::function<std::unique_ptr<SplitEnumerator>()> make_enumerator;  ///< of a source
  std::vector<std::string> reads = {};   ///< paths that a source reads, as the job gave them
  std::vector<std::string> writes = {};  ///< folders that a sink writes to
  /// Of a source that can tell before it runs whether its input is there: from nothing, or with
  /// what a snapshot holds of its enumerator and of splits not read yet. Changes nothing; blocks.
  std::function<Result<void>(const FileSystems&, const std::string& working_directory,
                             const std::string& restored, const std::vector<std::string>& unread)>
      check_input = {};
};

struct StreamEdge {
  int from = 0;
  int to = 0;
  Exchange exchange = Exchange::forward;
  /// Makes the sending side of the edge for one subtask upstream.
  std::function<std::unique_ptr<Partitioner>(Senders, int subtask, int max_parallelism)>
      make_partitioner;
  /// Of its records, so that barriers may overtake them; null: the edge stays aligned.
  std::shared_ptr<const BatchCodec> codec = {};

  /// As in Flink: not on forward and broadcast edges.
  bool lets_barriers_overtake() const {
    return codec != nullptr && (exchange == Exchange::hash || exchange == Exchange::rebalance);
  }
};

/// The program as it was written.
struct StreamGraph {
  std::vector<StreamNode>
      nodes;  ///< in order of id, which is also their index; inputs before outputs
  std::vector<StreamEdge> edges;
};

/// Operators that run in one task, connected by calls.
struct JobVertex {
  int id = 0;
  std::vector<int> operators;  ///< indices into `JobGraph::operators`; the first is the head,
                               ///< inputs before outputs
  int parallelism = 1;
  int max_parallelism = 128;
  std::string name;
};

struct JobOperator {
  StreamNode node;
  OperatorId id;
  int vertex = 0;
  bool max_parallelism_is_explicit = false;
};

/// What is deployed: vertices of chained operators, and the exchanges between them.
struct JobGraph {
  std::vector<JobOperator> operators;  ///< index = node id
  std::vector<JobVertex> vertices;
  std::vector<StreamEdge> chained;    ///< edges inside vertices: calls, through a partitioner if
                                      ///< they are not forward
  std::vector<StreamEdge> exchanges;  ///< edges between vertices, in terms of operators
  std::vector<std::string> warnings;
  bool bounded() const;
};

struct JobGraphOptions {
  int parallelism = 1;
  int max_parallelism = 0;  ///< 0: derived as Flink does
  bool chaining = true;
};

/// Checks the program (uids unique, parallelism within its bounds, something to run), chains what
/// can be chained (forward edges, and any edge between two operators of parallelism 1: there is
/// nothing to distribute), and gives each operator its id. Throws JobError-like `ErrorException`s
/// with E-JOB-MISMATCH or E-USAGE.
JobGraph make_job_graph(StreamGraph graph, const JobGraphOptions& options);

/// The plan for people: chains, exchanges, uids, `!` for a missing one.
std::string plan_as_text(const JobGraph& graph);
/// Flink's plan shape (`flink info`), one JSON document.
std::string plan_as_json(const JobGraph& graph);
std::string plan_as_dot(const JobGraph& graph);

}  // namespace streamrun
