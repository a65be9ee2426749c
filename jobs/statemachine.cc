// Many sources send events without end, each in an order that a small state machine allows. The job
// keeps the state of every source and reports an event that its state does not allow. A lost or
// repeated event would be reported too: kill the job, resume it, and see that only the events which
// the generator got wrong on purpose appear.
#include "statemachine.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <algorithm>
#include <array>

namespace streamrun::jobs {
namespace {

struct Event {
  std::int64_t source = 0;
  char type = 'a';
};

struct Alert {
  std::int64_t source = 0;
  std::int64_t number = 0;  ///< of the event among those of its source
  char expected = 'a';
  char got = 'a';
};

/// The machine: every source goes through these events over and over.
constexpr std::array<char, 8> kCycle = {'a', 'b', 'e', 'b', 'g', 'c', 'd', 'f'};

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27U) * 0x94d049bb133111ebULL;
  return value ^ value >> 31U;
}

/// One reader must make all events of a source, or they would come in no order: then the number of
/// sources is a multiple of the number of readers, which this makes it for any up to 10.
constexpr std::int64_t kSourcesUnit = 5040;

/// Event `index` of the stream: sources take turns. Every `error_every`-th event, at random, is a
/// wrong one.
Event make_event(std::uint64_t index, std::uint64_t sources, std::uint64_t error_every) {
  const std::uint64_t step = index / sources;
  const char right = kCycle[step % kCycle.size()];
  const bool wrong = error_every > 0 && mixed(index) % error_every == 0;
  return {.source = static_cast<std::int64_t>(index % sources), .type = wrong ? 'x' : right};
}

/// How many events each source has sent: the state of its machine.
struct CheckTransitions {
  ValueState<std::int64_t> events{"events"};

  void process(const Event& event, KeyedContext<std::int64_t>&, Output<Alert>& alerts) {
    const std::int64_t number = events.value_or(0);
    events.update(number + 1);
    const char expected = kCycle[static_cast<std::size_t>(number) % kCycle.size()];
    if (event.type != expected) {
      alerts.emit(
          {.source = event.source, .number = number + 1, .expected = expected, .got = event.type});
    }
  }
};

void to_line(std::string& out, const Alert& alert) {
  out += "alert: source " + std::to_string(alert.source) + ", event " +
         std::to_string(alert.number) + ": expected " + alert.expected + ", got " + alert.got;
}

}  // namespace

void state_machine(StreamExecutionEnvironment& env, JobArguments& args) {
  const std::int64_t wanted = args.integer(
      "sources", "how many sources send events, rounded up to a multiple of 5040", kSourcesUnit);
  const auto sources = static_cast<std::uint64_t>(
      (std::max<std::int64_t>(wanted, 1) + kSourcesUnit - 1) / kSourcesUnit * kSourcesUnit);
  const auto error_every = static_cast<std::uint64_t>(
      args.integer("error-every", "one event in so many is wrong on purpose; 0 for none", 20000));
  const auto rate =
      args.integer("rate", "events per second over all sources; 0 for as many as possible", 10000);
  const auto count =
      args.integer("count", "events after which the job ends; 0 for an endless one", 0);
  const auto output =
      args.optional_path("output", "folder for the alerts; standard output without it");

  const GeneratorSource<Event> events{
      .make = [sources, error_every](
                  std::uint64_t index) { return make_event(index, sources, error_every); },
      .count = static_cast<std::uint64_t>(count),
      .records_per_second = static_cast<double>(rate)};
  const auto alerts = env.from_source(events, {.uid = "events"})
                          .key_by(&Event::source)
                          .process(CheckTransitions{}, {.uid = "transitions", .name = "Check"});
  if (output) {
    alerts.sink_to(FileSink{.path = *output}, {.uid = "alerts"});
  } else {
    alerts.sink_to(PrintSink{}, {.uid = "alerts"});
  }
}

}  // namespace streamrun::jobs
