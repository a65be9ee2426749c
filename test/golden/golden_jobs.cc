// A binary with the jobs of the golden snapshots: `make` runs it to write them, and the tests to go
// on from them.
#include "golden_jobs.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/cli/streamrun_main.h>

namespace {

/// The same as `kinds`, from and to RocksDB's own files.
void kinds_on_disk(streamrun::StreamExecutionEnvironment& env, streamrun::JobArguments& args) {
  env.set_state_backend({.type = streamrun::StateBackendType::rocksdb, .incremental = true});
  streamrun::golden::kinds(env, args);
}

}  // namespace

int main(int argc, char** argv) {
  const streamrun::JobTable jobs = {
      {"kinds", streamrun::golden::kinds, "keeps state of every kind and type"},
      {"kinds-on-disk", kinds_on_disk, "does the same in RocksDB"},
      {"in-flight", streamrun::golden::in_flight, "has many records in flight"},
      {"files", streamrun::golden::files, "counts the lines of files into files"},
      {"chain", streamrun::golden::chain, "says what it has of each key"}};
  return streamrun::streamrun_main(argc, argv, jobs);
}
