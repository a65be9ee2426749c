#include "sim/sim_options.h"

#include <algorithm>

#include <fmt/format.h>

namespace streamrun::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

double in_milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::uint64_t rate(Tape& tape, std::uint64_t most_often, std::uint64_t most) {
  return tape.flip() ? most_often * tape.log_uniform(most) : 0;
}

}  // namespace

SimOptions SimOptions::draw(Tape& tape, Guarantees guarantees) {
  SimOptions options;
  options.max_parallelism = tape.pick({0, 1, 2, 7, 128});
  if (options.max_parallelism > 0) {
    options.most_parallelism = std::min(options.most_parallelism, options.max_parallelism);
  }
  const bool is_mixed =
      guarantees != Guarantees::aligned && guarantees != Guarantees::at_least_once;
  options.shape = JobShape::draw(tape, options.most_parallelism, is_mixed);
  options.shape.writes_to_kafka = guarantees == Guarantees::kafka;
  if (guarantees == Guarantees::at_least_once) {
    options.exactly_once = false;
    options.shape.count_as_it_goes();
  }
  options.parallelism =
      static_cast<int>(tape.between(1, static_cast<std::uint64_t>(options.most_parallelism)));
  options.chaining = tape.flip();
  options.interval = milliseconds(tape.log_uniform(50));
  options.min_pause = tape.one_in(4) ? milliseconds(tape.log_uniform(20)) : milliseconds(0);
  options.timeout = milliseconds(tape.pick({15, 50, 300, 600'000}));
  options.tolerable_failures = tape.pick({0, 0, 1, 10});
  options.retained = static_cast<int>(tape.between(1, 3));
  options.inline_threshold = tape.flip() ? 20480 : 0;
  options.restart_delay = tape.flip() ? milliseconds(tape.log_uniform(20)) : milliseconds(0);
  options.most_pause = microseconds(tape.log_uniform(4000));
  options.most_io_delay = microseconds(tape.log_uniform(2000));

  options.kills = tape.flip();
  options.power_cuts = tape.flip();
  if (options.kills || options.power_cuts) options.deaths = tape.between(1, 6);
  options.rescales = tape.flip();
  options.stops = tape.flip();
  options.starving_steps = tape.pick<std::uint64_t>({0, 0, 0, 20, 100, 500});
  options.pause_io_one_in = tape.pick<std::uint64_t>({0, 1, 2, 8});
  options.slow_io_one_in = rate(tape, 2, 64);
  options.throw_one_in = rate(tape, 64, 1024);
  options.write_error_one_in = rate(tape, 16, 256);
  if (tape.flip()) {
    // One operation only, and that often: the others get past it.
    options.write_error_of =
        tape.pick({"create", "append", "sync", "close", "rename", "remove_file", "sync_directory"});
    options.write_error_under = tape.pick({"", "/out", kCheckpointRoot});
    options.write_error_one_in = rate(tape, 2, 64);
  }
  options.read_error_one_in = rate(tape, 16, 256);
  options.safety_phase = milliseconds(tape.between(50, 1500));
  // Not drawn, so that histories without them stay as they were.
  options.savepoints = options.stops && options.most_io_delay.count() / 1000 % 2 == 0;
  if (options.savepoints)
    options.max_concurrent = 1 + static_cast<int>(options.most_pause.count() / 1000 % 3);
  if (options.shape.is_unaligned) {
    options.max_concurrent = 1;
    options.most_sink_pause = microseconds(options.shape.seed >> 40U & 0xfffU);
    const std::uint64_t chosen = options.shape.seed >> 24U;
    options.overtake_after =
        microseconds(chosen % 2 == 0 ? 0 : static_cast<std::int64_t>(chosen / 2 % 8000));
  }
  const std::uint64_t other_bits = options.shape.seed >> 52U;
  options.incremental = guarantees != Guarantees::aligned && other_bits % 2 == 0;
  options.claims = is_mixed && other_bits / 2 % 2 == 0;
  options.history = other_bits / 4 % 4;
  // More than that would leave nothing for files.
  if (options.incremental && options.inline_threshold > 0) options.inline_threshold = 200;
  if (guarantees == Guarantees::hdfs) options.move_to(StoreKind::hdfs);
  if (guarantees == Guarantees::s3) options.move_to(StoreKind::s3);
  return options;
}

/// Servers elsewhere, which no power cut here reaches.
void SimOptions::move_to(StoreKind kind) {
  store = kind;
  kills = kills || power_cuts;
  power_cuts = false;
  constexpr int kAttempts[] = {1, 2, 5, 5};
  attempts = kAttempts[shape.seed >> 28U & 3U];
  constexpr std::size_t kPages[] = {0, 1, 3, 1000};
  page_entries = kPages[shape.seed >> 30U & 3U];
  if (kind == StoreKind::s3 && page_entries == 0) page_entries = 2;
  old_server = (shape.seed >> 36U) % 4 == 0;
  in_pieces = (shape.seed >> 38U) % 2 == 0;
}

std::string SimOptions::describe() const {
  return fmt::format(
      "{}: {} records in {} splits, {} keys, keyed parallelism {}, {} copies; parallelism {} of "
      "{}, "
      "chaining {}; checkpoint "
      "every {:g} ms, pause {:g} ms, time-out {:g} ms, {} at once, {}, {} failures tolerable, keep "
      "{} and tell of {}, "
      "inline {}, incremental {}, claims {}; "
      "deaths {} (kill {}, power cut {}), rescale {}, stop {}, savepoints {}, starve for {} steps, "
      "pause I/O "
      "1/{}, slow I/O "
      "1/{}, throw 1/{}, "
      "write error 1/{} {}, read error 1/{}, faults for {:g} ms{}",
      to_string(shape.topology), shape.records(), shape.splits.size(), shape.keys,
      shape.keyed_parallelism, shape.copies, parallelism, max_parallelism, chaining,
      in_milliseconds(interval), in_milliseconds(min_pause), in_milliseconds(timeout),
      max_concurrent,
      overtake_after ? fmt::format("unaligned after {:g} ms", in_milliseconds(*overtake_after))
      : exactly_once ? "aligned"
                     : "at least once",
      tolerable_failures, retained, history, inline_threshold, incremental, claims, deaths, kills,
      power_cuts, rescales, stops, savepoints, starving_steps, pause_io_one_in, slow_io_one_in,
      throw_one_in, write_error_one_in, write_error_of + write_error_under, read_error_one_in,
      in_milliseconds(safety_phase),
      store == StoreKind::disk
          ? std::string()
          : fmt::format("; {} attempts, pages of {}, old server {}, in pieces {}", attempts,
                        page_entries, old_server, in_pieces));
}

}  // namespace streamrun::sim
