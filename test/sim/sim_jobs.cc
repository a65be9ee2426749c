#include "sim/sim_jobs.h"

#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/file/file_source.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/kafka/kafka_sink.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

#include "sim/mutant_sink.h"
#include "sim/sim_source.h"
#include "sim/slow_sink.h"

namespace streamrun::sim {
namespace {

constexpr const char* kOutput = "/out";
constexpr const char* kSecondOutput = "/out-plain";
constexpr const char* kInput = "/in";
constexpr const char* kRowsUid = "rows";
constexpr std::uint64_t kWordsInLine = 4;

SimRecord record_of(const JobShape& shape, std::uint64_t split, std::uint64_t index) {
  SplitMix random(shape.seed ^ (split << 32U) ^ index);
  const std::uint64_t key = random.next() % shape.keys;
  if (shape.topology == Topology::in_order || shape.topology == Topology::timers) {
    return {.key = "key" + std::to_string(key) + " of split " + std::to_string(split),
            .value = static_cast<std::int64_t>(index)};
  }
  std::string name = "key" + std::to_string(key);
  if (key % 3 == 0) name += "-with-a-name-that-is-too-long-to-lie-in-its-slot";
  return {.key = std::move(name), .value = static_cast<std::int64_t>(random.next() % 7)};
}

MakeRecord maker_of(const JobShape& shape) {
  return
      [shape](std::uint64_t split, std::uint64_t index) { return record_of(shape, split, index); };
}

std::string count_line(std::string_view key, std::int64_t count) {
  return std::string(key) + " " + std::to_string(count);
}
std::string plain_line(const SimRecord& record) {
  return record.key + "=" + std::to_string(record.value);
}
std::string sum_line(const SimRecord& record) {
  return record.key + " sum " + std::to_string(record.value);
}

/// Counts the records of a key, and the occurrences of each of its values.
struct CountValues {
  SimHooks* hooks;
  ValueState<std::int64_t> total{"total"};
  MapState<std::int64_t, std::int64_t> by_value{"by-value"};

  auto states() { return std::tie(total, by_value); }
  void process(const SimRecord& record, KeyedContext<std::string>& context,
               Output<std::string>& output) {
    hooks->maybe_throw();
    total.update(total.value_or(0) + 1);
    const std::int64_t* const before = by_value.get(record.value);
    const std::int64_t times = before != nullptr ? *before + 1 : 1;
    by_value.put(record.value, times);
    output.emit(count_line(context.key(), *total.get()));
    output.emit(count_line(plain_line(record), times));
  }
};

/// Each key comes from one split, and its records must keep the order in which that is read.
struct CheckOrder {
  SimHooks* hooks;
  ValueState<std::int64_t> last{"last"};

  auto states() { return std::tie(last); }
  void process(const SimRecord& record, KeyedContext<std::string>&, Output<std::string>& output) {
    hooks->maybe_throw();
    const std::int64_t before = last.value_or(-1);
    last.update(record.value);
    const bool is_behind = record.value <= before;
    output.emit(is_behind ? plain_line(record) + " behind " + std::to_string(before)
                          : plain_line(record));
  }
};

/// Each record registers a timer at its own time, twice, and another one that it deletes. Those of
/// a key must fire once, and in order: its records come so.
struct FireTimers {
  SimHooks* hooks;
  ValueState<std::int64_t> last{"last"};

  auto states() { return std::tie(last); }
  void process(const SimRecord& record, KeyedContext<std::string>& context,
               Output<std::string>& output) {
    hooks->maybe_throw();
    constexpr Timestamp kLater = 7;
    TimerService<std::string>& timers = context.timer_service();
    timers.register_event_time_timer(record.value);
    timers.register_event_time_timer(record.value + kLater);
    timers.register_event_time_timer(record.value);
    timers.delete_event_time_timer(record.value + kLater);
    if (last.value_or(-1) >= record.value)
      output.emit(plain_line(record) + " fired before it came");
  }
  void on_timer(Timestamp time, OnTimerContext<std::string>& context, Output<std::string>& output) {
    hooks->maybe_throw();
    const std::int64_t before = last.value_or(-1);
    last.update(time);
    const std::string line = plain_line({.key = std::string(context.key()), .value = time});
    output.emit(time <= before ? line + " behind " + std::to_string(before) : line);
  }
};

/// Counts the records of a key, and of each of its values, in state with a time to live, and again
/// in state without, where the time of the last one tells what must have expired.
struct CheckExpiry {
  static constexpr std::int64_t kTtl = 30;  // milliseconds
  struct Count {
    std::int64_t last = 0;
    std::int64_t count = 0;
  };

  SimHooks* hooks;
  ValueState<std::int64_t> total{"total", {.ttl = std::chrono::milliseconds(kTtl)}};
  MapState<std::int64_t, std::int64_t> by_value{"by-value",
                                                {.ttl = std::chrono::milliseconds(kTtl)}};
  ValueState<Count> true_total{"true-total"};
  MapState<std::int64_t, Count> true_by_value{"true-by-value"};

  auto states() { return std::tie(total, by_value, true_total, true_by_value); }
  void process(const SimRecord& record, KeyedContext<std::string>& context,
               Output<std::string>& output) {
    hooks->maybe_throw();
    const std::int64_t now = context.timer_service().current_processing_time();
    const std::int64_t* const times = by_value.get(record.value);
    const Count total_before = true_total.value_or({});
    const Count* const times_before = true_by_value.get(record.value);
    std::string line = plain_line(record);
    line += difference(" in all", total.value_or(0), total_before, now);
    line += difference(" times", times != nullptr ? *times : 0,
                       times_before != nullptr ? *times_before : Count(), now);
    total.update(total.value_or(0) + 1);
    by_value.put(record.value, (times != nullptr ? *times : 0) + 1);
    true_total.update(after(total_before, now));
    true_by_value.put(record.value, after(times_before != nullptr ? *times_before : Count(), now));
    output.emit(line);
  }

 private:
  static std::int64_t count_at(const Count& before, std::int64_t now) {
    return before.last + kTtl > now ? before.count : 0;
  }
  static Count after(const Count& before, std::int64_t now) {
    return {.last = now, .count = count_at(before, now) + 1};
  }
  static std::string difference(const char* what, std::int64_t found, const Count& before,
                                std::int64_t now) {
    const std::int64_t expected = count_at(before, now);
    if (found == expected) return {};
    return " " + std::to_string(found) + " instead of " + std::to_string(expected) + what;
  }
};

void split_words(std::string_view line, Output<std::string>& output) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) output.emit(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

/// A map function that changes nothing, and fails now and then.
auto failing(SimHooks& hooks) {
  return [&hooks](const SimRecord& record) {
    hooks.maybe_throw();
    return record;
  };
}

class Builder {
 public:
  Builder(StreamExecutionEnvironment& environment, const JobShape& shape, SimHooks& hooks)
      : environment_(environment), shape_(shape), hooks_(hooks) {}

  void build() {
    switch (shape_.topology) {
      case Topology::running_count:
        return write(count(source("records", 0, shape_.splits.size()).map(failing(hooks_))));
      case Topology::keyed_process:
        return keyed_process();
      case Topology::union_sum:
        return union_sum();
      case Topology::generator:
        return generator();
      case Topology::words:
        return words();
      case Topology::two_sinks: {
        const auto records = source("records", 0, shape_.splits.size()).map(failing(hooks_));
        write(count(records));
        return write(records.map(plain_line), kSecondOutput, "plain-rows");
      }
      case Topology::broadcast:
        return broadcast();
      case Topology::in_order:
        return write(source("records", 0, shape_.splits.size())
                         .map(failing(hooks_))
                         .key_by(&SimRecord::key)
                         .process(CheckOrder{.hooks = &hooks_},
                                  {.uid = "order", .parallelism = shape_.keyed_parallelism}));
      case Topology::timers:
        return timers();
      case Topology::expiry:
        return write(source("records", 0, shape_.splits.size())
                         .map(failing(hooks_))
                         .key_by(&SimRecord::key)
                         .process(CheckExpiry{.hooks = &hooks_},
                                  {.uid = "expiry", .parallelism = shape_.keyed_parallelism}));
    }
  }

 private:
  DataStream<SimRecord> source(const std::string& uid, std::size_t first, std::size_t last) {
    const auto begin = shape_.splits.begin();
    return environment_.from_source(
        SimSource{.hooks = &hooks_,
                  .first_split = first,
                  .lengths = {begin + static_cast<std::ptrdiff_t>(first),
                              begin + static_cast<std::ptrdiff_t>(last)},
                  .make = maker_of(shape_)},
        {.uid = uid});
  }

  DataStream<std::string> count(const DataStream<SimRecord>& records, Emit emit = Emit::on_update) {
    return records.key_by(&SimRecord::key)
        .aggregate(counting(), count_line,
                   {.uid = "counts", .parallelism = shape_.keyed_parallelism, .emit = emit});
  }

  void write(const DataStream<std::string>& lines, const char* folder = kOutput,
             const char* uid = kRowsUid) {
    if (shape_.writes_to_kafka) {
      write_to(lines,
               KafkaSink<KafkaLine>{.brokers = "simulated:9092",
                                    .topic = folder,
                                    .delivery_guarantee = DeliveryGuarantee::exactly_once,
                                    .client = hooks_.kafka},
               "", uid);
    } else {
      write_to(lines, FileSink{.path = folder}, folder, uid);
    }
  }

  template <typename Sink>
  void write_to(const DataStream<std::string>& lines, const Sink& sink, const char* folder,
                const char* uid) {
    if (hooks_.has_mutant_sink()) {
      lines.sink_to(MutantSink<Sink>{.sink = sink, .folder = folder, .hooks = &hooks_},
                    {.uid = uid});
    } else if (shape_.is_unaligned) {
      lines.sink_to(SlowSink<Sink>{.sink = sink, .hooks = &hooks_}, {.uid = uid});
    } else {
      lines.sink_to(sink, {.uid = uid});
    }
  }

  void keyed_process() {
    write(source("records", 0, shape_.splits.size())
              .filter([](const SimRecord& record) { return record.value != 0; })
              .rebalance()
              .key_by(&SimRecord::key)
              .process(CountValues{.hooks = &hooks_},
                       {.uid = "counts", .parallelism = shape_.keyed_parallelism}));
  }

  void timers() {
    const auto strategy =
        WatermarkStrategy::for_bounded_out_of_orderness(std::chrono::milliseconds(5))
            .with_idleness(std::chrono::milliseconds(20))
            .with_timestamp_assigner(&SimRecord::value);
    write(source("records", 0, shape_.splits.size())
              .assign_timestamps_and_watermarks(strategy)
              .map(failing(hooks_))
              .key_by(&SimRecord::key)
              .process(FireTimers{.hooks = &hooks_},
                       {.uid = "timers", .parallelism = shape_.keyed_parallelism}));
  }

  void union_sum() {
    const std::size_t half = shape_.splits.size() / 2;
    write(source("left", 0, half)
              .map(failing(hooks_))
              .union_with(source("right", half, shape_.splits.size()))
              .key_by(&SimRecord::key)
              .sum(&SimRecord::value, {.uid = "sums",
                                       .parallelism = shape_.keyed_parallelism,
                                       .emit = Emit::at_end_of_input})
              .map(sum_line));
  }

  /// The receivers keep their number when the job is rescaled: what comes out depends on it.
  void broadcast() {
    const std::size_t half = shape_.splits.size() / 2;
    write(count(source("announced", 0, half)
                    .map(failing(hooks_))
                    .broadcast()
                    .union_with(source("dealt", half, shape_.splits.size()).rebalance())
                    .map([](const SimRecord& record) { return record; },
                         {.name = "Receive", .parallelism = shape_.copies})));
  }

  void generator() {
    const GeneratorSource<SimRecord> generated{
        .make = [make = maker_of(shape_)](std::uint64_t index) { return make(0, index); },
        .count = shape_.records(),
        .records_per_second = shape_.records_per_second};
    write(count(environment_.from_source(generated, {.uid = "generated"}).map(failing(hooks_)),
                Emit::at_end_of_input));
  }

  void words() {
    const FileSource lines{.paths = {kInput}, .split_bytes = 200, .block_bytes = 64};
    write(environment_.from_source(lines, {.uid = "lines"})
              .flat_map([hooks = &hooks_](std::string_view line, Output<std::string>& output) {
                hooks->maybe_throw();
                split_words(line, output);
              })
              .key_by(std::identity{})
              .aggregate(counting(), count_line,
                         {.uid = "counts", .parallelism = shape_.keyed_parallelism}));
  }

  StreamExecutionEnvironment& environment_;
  const JobShape& shape_;
  SimHooks& hooks_;
};

/// Each record as often as it gets to the last operator.
template <typename F>
void for_each_record(const JobShape& shape, F&& use) {
  if (shape.topology == Topology::generator) {
    for (std::uint64_t i = 0; i < shape.records(); ++i) use(record_of(shape, 0, i));
    return;
  }
  for (std::uint64_t split = 0; split < shape.splits.size(); ++split) {
    const bool is_announced =
        shape.topology == Topology::broadcast && split < shape.splits.size() / 2;
    for (std::uint64_t i = 0; i < shape.splits[split]; ++i) {
      const SimRecord record = record_of(shape, split, i);
      for (int copy = is_announced ? shape.copies : 1; copy > 0; --copy) use(record);
    }
  }
}

void add_running_counts(const std::map<std::string, std::int64_t>& counts,
                        std::map<std::string, std::int64_t>& lines) {
  for (const auto& [key, count] : counts) {
    for (std::int64_t i = 1; i <= count; ++i) ++lines[count_line(key, i)];
  }
}

Result<void> write_file(FileSystem& store, const std::string& path, const std::string& text) {
  const std::unique_ptr<WritableFile> file = SR_TRY(store.create(path));
  SR_TRY(file->append(text));
  SR_TRY(file->sync());
  return file->close();
}

}  // namespace

const char* to_string(Topology topology) {
  static constexpr const char* kNames[] = {
      "running-count", "keyed-process", "union-sum", "generator", "words",
      "two-sinks",     "broadcast",     "in-order",  "timers",    "expiry"};
  return kNames[static_cast<int>(topology)];
}

std::uint64_t JobShape::records() const {
  return std::accumulate(splits.begin(), splits.end(), std::uint64_t{0});
}

JobShape JobShape::draw(Tape& tape, int most_parallelism, bool wants_unaligned) {
  JobShape shape;
  constexpr std::uint64_t kDrawn = 6;
  constexpr std::uint64_t kBroadcastEvery = 8;
  constexpr std::uint64_t kBroadcast = 3;
  shape.topology = static_cast<Topology>(tape.below(kDrawn));
  shape.seed = tape.next();
  // Not a draw of its own: it would change the histories of all seeds, and with them those that
  // once found a bug.
  if (shape.seed % kBroadcastEvery == kBroadcast) shape.topology = Topology::broadcast;
  constexpr std::uint64_t kTimersEvery = 6;
  constexpr std::uint64_t kTimers = 4;
  if ((shape.seed >> 40U) % kTimersEvery == kTimers) shape.topology = Topology::timers;
  constexpr std::uint64_t kExpiryEvery = 10;
  constexpr std::uint64_t kExpiry = 7;
  if ((shape.seed >> 44U) % kExpiryEvery == kExpiry) shape.topology = Topology::expiry;
  shape.is_unaligned = wants_unaligned && (shape.seed >> 20U) % 2 == 0;
  if (shape.is_unaligned && shape.seed % kBroadcastEvery > kBroadcast + 1)
    shape.topology = Topology::in_order;
  shape.has_stranger = (shape.seed >> 32U) % 4 == 0;
  const std::uint64_t splits = tape.between(1, 6);
  for (std::uint64_t i = 0; i < splits; ++i)
    shape.splits.push_back(tape.between(1, 40) * tape.log_uniform(60));
  shape.keys = tape.log_uniform(60);
  if (tape.one_in(3)) {
    shape.keyed_parallelism =
        static_cast<int>(tape.between(1, static_cast<std::uint64_t>(most_parallelism)));
  }
  shape.copies = 1 + static_cast<int>(shape.seed / kBroadcastEvery %
                                      static_cast<std::uint64_t>(most_parallelism));
  shape.records_per_second = static_cast<double>(tape.between(500, 20000));
  return shape;
}

void JobShape::count_as_it_goes() {
  const bool does_not = topology == Topology::union_sum || topology == Topology::generator ||
                        topology == Topology::timers || topology == Topology::expiry;
  if (does_not) topology = Topology::running_count;
}

void build_job(StreamExecutionEnvironment& environment, const JobShape& shape, SimHooks& hooks) {
  Builder(environment, shape, hooks).build();
}

/// As this job's own operator would have named it.
std::string stranger_path() {
  return std::string(kOutput) + "/.part-" + std::string(32, 'f') + "-" +
         to_string(operator_id_of(kRowsUid)).substr(0, 8) + "-0-" + std::string(32, 'e') +
         "-0.inprogress";
}

/// Each split becomes a file; the key of a record is a word.
void make_input(FileSystem& store, const JobShape& shape) {
  if (shape.has_stranger) {
    SR_ASSERT(store.create_directory(kOutput) && store.sync_directory("/") &&
                  write_file(store, stranger_path(), "not ours\n") && store.sync_directory(kOutput),
              "an empty store takes what is a stranger's");
  }
  if (shape.topology != Topology::words) return;
  SR_ASSERT(store.create_directory(kInput).has_value(), "an empty store takes a folder");
  for (std::uint64_t split = 0; split < shape.splits.size(); ++split) {
    std::string text;
    for (std::uint64_t i = 0; i < shape.splits[split]; ++i) {
      text += record_of(shape, split, i).key;
      text += i % kWordsInLine == kWordsInLine - 1 ? '\n' : ' ';
    }
    const std::string path = std::string(kInput) + "/text-" + std::to_string(split);
    SR_ASSERT(write_file(store, path, text).has_value(), "an empty store takes a file");
  }
  SR_ASSERT(store.sync_directory(kInput).has_value() && store.sync_directory("/").has_value(),
            "an empty store syncs");
}

ExpectedOutput expected_output(const JobShape& shape) {
  ExpectedOutput expected;
  std::map<std::string, std::int64_t>& lines = expected[kOutput];
  std::map<std::string, std::int64_t> counts;
  std::map<std::string, std::int64_t> sums;
  const bool filters = shape.topology == Topology::keyed_process;
  for_each_record(shape, [&](const SimRecord& record) {
    if (filters && record.value == 0) return;
    ++counts[record.key];
    if (filters) ++counts[plain_line(record)];
    sums[record.key] += record.value;
    if (shape.topology == Topology::two_sinks) ++expected[kSecondOutput][plain_line(record)];
  });
  switch (shape.topology) {
    case Topology::union_sum:
      for (const auto& [key, sum] : sums) ++lines[sum_line({.key = key, .value = sum})];
      break;
    case Topology::generator:
      for (const auto& [key, count] : counts) ++lines[count_line(key, count)];
      break;
    case Topology::in_order:
    case Topology::timers:
    case Topology::expiry:
      for_each_record(shape, [&](const SimRecord& record) { ++lines[plain_line(record)]; });
      break;
    default:
      add_running_counts(counts, lines);
  }
  return expected;
}

}  // namespace streamrun::sim
