// A job with keyed state of every kind, with and without a time to live. In the last round over its
// keys it prints what it has kept of each before it changes that, so that no value can get lost or
// be another one unseen.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "golden_jobs.h"
#include "kept_values.h"

namespace streamrun::golden {
namespace {

constexpr std::int64_t kKeys = 10;
/// As long as a snapshot is to be restored.
constexpr Duration kCentury = std::chrono::hours(24) * 36'525;
const StateTtlConfig kWrites{.ttl = kCentury};
const StateTtlConfig kReads{.ttl = kCentury,
                            .update_type = StateTtlConfig::UpdateType::on_read_and_write};

struct Event {
  std::int64_t index = 0;
  std::string key;
};

/// Texts on both sides of what a row holds inline.
std::string key_of(std::int64_t index) {
  const std::int64_t number = index % kKeys;
  return (number % 3 == 0 ? "a key too long for its slot " : "k") + std::to_string(number);
}

Event event_of(std::uint64_t index) {
  const auto number = static_cast<std::int64_t>(index);
  return {.index = number, .key = key_of(number)};
}

struct Mean {
  struct Accumulator {
    std::int64_t sum = 0;
    std::int32_t count = 0;
  };
  Accumulator create() const { return {}; }
  void add(Accumulator& mean, std::int64_t next) const {
    mean.sum += next;
    ++mean.count;
  }
  double get_result(const Accumulator& mean) const {
    return static_cast<double>(mean.sum) / mean.count;
  }
};

std::string longer_of(std::string so_far, std::string next) {
  return next.size() > so_far.size() ? std::move(next) : std::move(so_far);
}

std::string number_or_none(const std::int64_t* number) {
  return number != nullptr ? std::to_string(*number) : "none";
}

struct Keep {
  std::int64_t last_round = 0;  ///< index at which it begins

  ValueState<std::int64_t> value{"value"};
  ValueState<Everything> everything{"everything"};
  ListState<std::string> list{"list"};
  MapState<std::string, Point> map{"map"};
  ReducingState<std::int64_t, std::plus<>> reducing{"reducing"};
  AggregatingState<std::int64_t, Mean> aggregating{"aggregating"};
  ValueState<Visit> value_ttl{"value-ttl", kReads};
  ListState<std::int64_t> list_ttl{"list-ttl", kWrites};
  MapState<std::int64_t, std::string> map_ttl{"map-ttl", kWrites};
  ReducingState<std::string> reducing_ttl{"reducing-ttl", longer_of, kWrites};
  AggregatingState<std::int64_t, Mean> aggregating_ttl{"aggregating-ttl", {}, kReads};

  auto states() {
    return std::tie(value, everything, list, map, reducing, aggregating, value_ttl, list_ttl,
                    map_ttl, reducing_ttl, aggregating_ttl);
  }

  void process(const Event& event, KeyedContext<std::string>& context, Output<std::string>& lines) {
    if (event.index >= last_round) lines.emit(line_of(context.key(), event.index));
    const std::string text = "t" + std::to_string(event.index);
    const auto small = static_cast<std::int32_t>(event.index % 100);
    value.update(value.value_or(0) * 3 + event.index);
    everything.update(everything_of(event.index));
    list.add(text);
    map.put("m" + std::to_string(event.index % 7), {.x = small, .y = -small});
    reducing.add(event.index);
    aggregating.add(event.index);
    value_ttl.update({.count = value_ttl.value_or({}).count + 1, .page = "/" + text});
    list_ttl.add(event.index);
    map_ttl.put(event.index % 3, text);
    reducing_ttl.add(std::string(static_cast<std::size_t>(event.index % 9), 'x') + text);
    aggregating_ttl.add(-event.index);
  }

  std::string line_of(std::string_view key, std::int64_t index) {
    const Everything* const before = everything.get();
    const bool is_right = before != nullptr && *before == everything_of(index - kKeys);
    std::string line(key);
    line += " | " + number_or_none(value.get()) + (is_right ? " | right" : " | WRONG") + " |";
    for (const std::string& each : list.get()) line += " " + each;
    line += " |";
    for (const auto& [name, point] : map.entries())
      line += " " + name + "=" + std::to_string(point.x) + "," + std::to_string(point.y);
    line += " | " + number_or_none(reducing.get());
    line += " | " + std::to_string(aggregating.get().value_or(0));
    return line + line_of_ttl();
  }
  std::string line_of_ttl() {
    const Visit visit = value_ttl.value_or({});
    std::string line = " | " + std::to_string(visit.count) + " " + visit.page + " |";
    for (const std::int64_t each : list_ttl.get()) line += " " + std::to_string(each);
    line += " |";
    for (const auto& [number, text] : map_ttl.entries())
      line += " " + std::to_string(number) + "=" + text;
    const std::string* const longest = reducing_ttl.get();
    line += " | " + (longest != nullptr ? *longest : "none");
    return line + " | " + std::to_string(aggregating_ttl.get().value_or(0));
  }
};

using PurseKey = std::pair<std::string, std::int32_t>;

PurseKey purse_of(const Event& event) {
  return {event.key, static_cast<std::int32_t>(event.index % kKeys)};
}

/// Keys that are pairs, and values with a serializer of their own, which only this binary knows.
struct Purse {
  std::int64_t last_round = 0;
  ValueState<Money> money{"money"};

  auto states() { return std::tie(money); }
  void process(const Event& event, KeyedContext<PurseKey>& context, Output<std::string>& lines) {
    Money now = money.value_or({.cents = 0, .currency = "EUR"});
    if (event.index >= last_round) {
      lines.emit(context.key().first + " has " + std::to_string(now.cents) + " " + now.currency);
    }
    now.cents += event.index;
    money.update(std::move(now));
  }
};

}  // namespace

void kinds(StreamExecutionEnvironment& env, JobArguments& args) {
  const std::int64_t count = args.integer("count", "how many events", 60);
  const std::int64_t rate = args.integer("rate", "events a second; 0 for all at once", 0);
  const GeneratorSource<Event> source{.make = event_of,
                                      .count = static_cast<std::uint64_t>(count),
                                      .records_per_second = static_cast<double>(rate)};
  // One source, so that the events of a key come in their order at any parallelism.
  const auto events = env.from_source(source, {.uid = "events", .parallelism = 1});
  Keep keep;
  keep.last_round = count - kKeys;
  events.key_by(&Event::key)
      .process(keep, {.uid = "kinds"})
      .sink_to(PrintSink{}, {.uid = "kinds-rows"});
  Purse purse;
  purse.last_round = count - kKeys;
  events.key_by(purse_of)
      .process(purse, {.uid = "purses"})
      .sink_to(PrintSink{}, {.uid = "purses-rows"});
}

}  // namespace streamrun::golden
