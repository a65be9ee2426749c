#include "sim/world.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace streamrun::sim {
namespace {

constexpr std::uint64_t kSafetySteps = 30'000;
constexpr std::uint64_t kSafetyLives = 60;
/// Without faults a checkpoint is faster than any time-out.
constexpr Duration kUndisturbedIoDelay = std::chrono::microseconds(200);

}  // namespace

void Statistics::add(const Statistics& other) {
  steps += other.steps;
  lives += other.lives;
  kills += other.kills;
  power_cuts += other.power_cuts;
  restores += other.restores;
  rescales += other.rescales;
  restarts += other.restarts;
  stops += other.stops;
  savepoints += other.savepoints;
  checkpoints += other.checkpoints;
  failed_checkpoints += other.failed_checkpoints;
  in_flight += other.in_flight;
  increments += other.increments;
  repeated_lines += other.repeated_lines;
  write_errors += other.write_errors;
  read_errors += other.read_errors;
  thrown += other.thrown;
}

std::string Statistics::describe() const {
  return fmt::format(
      "{} steps, {} lives, {} kills, {} power cuts, {} restores, {} of them rescaled, {} restarts, "
      "{} stops, {} savepoints, {} checkpoints, {} failed ones, {} with records in flight, {} "
      "increments, {} "
      "lines repeated, {} write errors, {} read errors, "
      "{} exceptions",
      steps, lives, kills, power_cuts, restores, rescales, restarts, stops, savepoints, checkpoints,
      failed_checkpoints, in_flight, increments, repeated_lines, write_errors, read_errors, thrown);
}

World::World(Tape& the_tape, Mutant the_mutant, Talk the_talk, Guarantees guarantees)
    : tape(the_tape),
      mutant(the_mutant),
      talk(std::move(the_talk)),
      options(SimOptions::draw(tape, guarantees)),
      random(tape.next()),
      store(&clock),
      oracle(store),
      hooks(tape, mutant),
      expected(expected_output(options.shape)),
      deaths_left(options.deaths) {
  if (options.shape.writes_to_kafka) oracle.watch(kafka);
  if (!options.exactly_once) oracle.lines_may_be_repeated();
  pace.most_io_delay = options.most_io_delay;
  pace.pause_one_in = options.pause_io_one_in;
  pace.slow_one_in = options.slow_io_one_in;
  pace.starving_steps = options.starving_steps;
  hooks.most_pause = options.most_pause;
  hooks.most_sink_pause = options.most_sink_pause;
  hooks.throw_one_in = options.throw_one_in;
  make_input(store, options.shape);
  if (options.shape.has_stranger) oracle.protect(stranger_path());
  const ServerWorld servers{store, oracle, tape, trace, clock, mutant};
  if (options.store != StoreKind::disk) oracle.store_is_elsewhere();
  if (options.store == StoreKind::hdfs) remote = make_remote_hdfs(servers, options);
  if (options.store == StoreKind::s3) remote = make_remote_s3(servers, options);
}

bool World::faults_on() {
  const bool is_over = clock.now() - Instant() > options.safety_phase ||
                       statistics.steps > kSafetySteps || statistics.lives > kSafetyLives;
  if (!is_safety_over && is_over) end_safety_phase();
  return !is_safety_over;
}

void World::end_safety_phase() {
  is_safety_over = true;
  safety_over_at = clock.now();
  safety_over_steps = statistics.steps;
  pace.starving_steps = 0;
  pace.slow_one_in = 0;
  pace.pause_one_in = 0;
  pace.most_io_delay = std::min(pace.most_io_delay, kUndisturbedIoDelay);
  hooks.most_sink_pause = Duration(0);
  hooks.throw_one_in = 0;
  say("no more faults from here on");
}

void World::say(std::string_view text) const {
  if (!talk) return;
  const double now =
      std::chrono::duration<double, std::milli>(clock.now().time_since_epoch()).count();
  talk(fmt::format("{:12.6f} {}", now, text));
}

}  // namespace streamrun::sim
