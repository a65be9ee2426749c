// A job that says what it has of each of its keys. Its snapshot is a chain of increments, which
// write_chain.cc writes.
#include "chain_job.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include "golden_jobs.h"

namespace streamrun::golden {
namespace {

struct Look {
  ChainStates kept;

  auto states() { return kept.states(); }
  void process(std::int64_t number, KeyedContext<std::string>&, Output<std::string>& lines) {
    lines.emit(chain_line(chain_key(number), kept.count.get(), kept.note.get()));
  }
};

}  // namespace

void chain(StreamExecutionEnvironment& env, JobArguments&) {
  const GeneratorSource<std::int64_t> numbers{
      .make = [](std::uint64_t index) { return static_cast<std::int64_t>(index); },
      .count = kChainKeys};
  env.from_source(numbers, {.uid = "numbers"})
      .key_by(chain_key)
      .process(Look(), {.uid = "kept"})
      .sink_to(PrintSink{}, {.uid = "rows"});
}

}  // namespace streamrun::golden
