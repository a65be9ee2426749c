#pragma once

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sim_hooks.h"
#include "sim/store_oracle.h"
#include "sim/tape.h"

namespace streamrun::sim {

enum class Topology {
  running_count,  ///< source, map, count per key, files
  keyed_process,  ///< source, filter, rebalance, process with value and map state, files
  union_sum,      ///< two sources, sum per key at the end, files
  generator,      ///< the generator source, count at the end
  words,          ///< the file source, flat map, count per word
  two_sinks,      ///< one source into files as they come and counted
  broadcast,      ///< every record of one source to all subtasks, those of another in turn; counted
  in_order,       ///< source, map, a check that the records of each key come in order, files
  timers,         ///< source, watermarks, a timer in event time for each record, files
  expiry,         ///< source, map, a check of state with a time to live, files
};
constexpr int kTopologies = 10;
const char* to_string(Topology topology);

/// What job it is and what it reads: together they say what its output must be.
struct JobShape {
  Topology topology = Topology::running_count;
  std::uint64_t seed = 0;
  std::vector<std::uint64_t> splits;  ///< number of records in each
  std::uint64_t keys = 1;
  int keyed_parallelism = 0;  ///< of the keyed operator; 0: the job's
  int copies = 1;             ///< subtasks that a broadcast goes to, at any parallelism of the job
  double records_per_second = 0;
  bool writes_to_kafka = false;  ///< else to files
  bool has_stranger = false;     ///< another job is writing into the same folder of output

  std::uint64_t records() const;
  /// With unaligned checkpoints in half of all histories, if any are wanted.
  bool is_unaligned = false;
  /// Makes it a job whose output can only grow by a record that is counted again: running counts.
  void count_as_it_goes();
  static JobShape draw(Tape& tape, int most_parallelism, bool wants_unaligned);
};

/// Builds the job with the engine's own API. `hooks` outlives it.
void build_job(StreamExecutionEnvironment& environment, const JobShape& shape, SimHooks& hooks);
/// Puts the files that it reads, if any, durably into `store`, and what is a stranger's.
void make_input(FileSystem& store, const JobShape& shape);
/// What the other job is writing.
std::string stranger_path();
/// The same job as a loop.
ExpectedOutput expected_output(const JobShape& shape);

}  // namespace streamrun::sim
