// Users do something now and then, and the job tells of each who was not seen for a while: how
// often, and from when to when. Time is that of the events, which come out of order: they wait in
// state until event time has come to them, a timer each. So what comes out depends on the events
// alone, however fast they come, and wherever the job was killed and resumed.
#include "inactivity.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>

namespace streamrun::jobs {
namespace {

struct Event {
  std::int64_t user = 0;
  Timestamp time = 0;
};

/// From the first event to the last of those that are less than the gap apart.
struct Session {
  std::int64_t user = 0;
  std::int64_t events = 0;
  Timestamp first = 0;
  Timestamp last = 0;
};

/// Between two events, as they come.
constexpr Timestamp kStep = 10;
/// How late an event comes at most.
constexpr Timestamp kMostDelay = 1000;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27U) * 0x94d049bb133111ebULL;
  return value ^ value >> 31U;
}

Event make_event(std::uint64_t index, std::uint64_t users) {
  const std::uint64_t random = mixed(index + 1);
  const auto delay = static_cast<Timestamp>((random >> 40U) % kMostDelay);
  return {.user = static_cast<std::int64_t>(random % users),
          .time = static_cast<Timestamp>(index) * kStep - delay};
}

struct FindSilence {
  Timestamp gap = 0;
  MapState<Timestamp, std::int64_t> waiting{"waiting"};  ///< how many events, by their time
  ValueState<Session> session{"session"};

  auto states() { return std::tie(waiting, session); }

  void process(const Event& event, KeyedContext<std::int64_t>& context, Output<Session>&) {
    const std::int64_t* const before = waiting.get(event.time);
    waiting.put(event.time, before != nullptr ? *before + 1 : 1);
    context.timer_service().register_event_time_timer(event.time);
  }

  /// Event time has come to events of this user, or to the end of a session: all that is earlier
  /// was seen.
  void on_timer(Timestamp time, OnTimerContext<std::int64_t>& context, Output<Session>& sessions) {
    Session now =
        session.value_or({.user = context.key(), .events = 0, .first = time, .last = time});
    if (const std::int64_t* const events = waiting.get(time)) {
      // The old end may be the time of an event too, and they share a timer.
      const Timestamp old_end = now.last + gap;
      if (now.events > 0 && !waiting.contains(old_end))
        context.timer_service().delete_event_time_timer(old_end);
      now.events += *events;
      now.last = std::max(now.last, time);
      waiting.remove(time);
      session.update(now);
      context.timer_service().register_event_time_timer(now.last + gap);
    } else if (now.events > 0) {
      sessions.emit(now);
      session.clear();
    }
  }
};

void to_line(std::string& out, const Session& session) {
  out += "user " + std::to_string(session.user) + ": " + std::to_string(session.events) +
         " events from " + std::to_string(session.first) + " to " + std::to_string(session.last);
}

}  // namespace

void inactivity(StreamExecutionEnvironment& env, JobArguments& args) {
  const auto users = static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, args.integer("users", "how many do something", 1000)));
  const auto gap = std::max<std::int64_t>(
      1, args.integer("gap", "milliseconds without an event after which a user is silent", 30000));
  const auto rate =
      args.integer("rate", "events per second over all; 0 for as many as possible", 10000);
  const auto count =
      args.integer("count", "events after which the job ends; 0 for an endless one", 0);
  const auto output =
      args.optional_path("output", "folder for the sessions; standard output without it");

  const GeneratorSource<Event> events{
      .make = [users](std::uint64_t index) { return make_event(index, users); },
      .count = static_cast<std::uint64_t>(count),
      .records_per_second = static_cast<double>(rate)};
  // A reader that takes over from others at another parallelism is as far apart as those were.
  const auto strategy = WatermarkStrategy::for_bounded_out_of_orderness(std::chrono::minutes(10))
                            .with_timestamp_assigner(&Event::time);
  const auto sessions =
      env.from_source(events, {.uid = "events"})
          .assign_timestamps_and_watermarks(strategy)
          .key_by(&Event::user)
          .process(FindSilence{.gap = gap}, {.uid = "silence", .name = "Silence"});
  if (output) {
    sessions.sink_to(FileSink{.path = *output}, {.uid = "sessions"});
  } else {
    sessions.sink_to(PrintSink{}, {.uid = "sessions"});
  }
}

}  // namespace streamrun::jobs
