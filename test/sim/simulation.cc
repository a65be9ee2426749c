#include "sim/simulation.h"

#include <streamrun/checkpoint/checkpoint_index.h>

#include <utility>

#include "sim/life.h"

namespace streamrun::sim {
namespace {

/// One that never gets anywhere is ended.
constexpr std::uint64_t kMostLives = 300;

/// The job has ended by itself: its output is whole, and stays so. False if the history goes on:
/// the run could not confirm its end, and the power cut undid what the next one had seen of it.
bool judge_finished(World& world, const Life& life, LifeEnd end) {
  world.oracle.check_whole_output(world.expected);
  if (end == LifeEnd::finished) world.oracle.check_clean(life.job_id(), life.is_clean());
  if (world.options.store != StoreKind::disk || !world.tape.flip()) return true;
  world.say("the power goes once more");
  TapeRandom random(world.tape);
  world.store.power_cut(random);
  world.oracle.after_power_cut();
  world.oracle.check_whole_output(world.expected);
  const Result<NewestComplete> newest =
      newest_complete(world.store, snapshot_roots(), kJobName, false);
  if (newest && newest->finished) return true;
  if (newest && newest->entry && end == LifeEnd::nothing_left) return false;
  world.oracle.violate("L4: the job was FINISHED, and a power cut undid that");
  return true;
}

/// True when the history is over.
bool live_once(World& world) {
  Life life(world);
  const LifeEnd end = life.live();
  switch (end) {
    case LifeEnd::finished:
    case LifeEnd::nothing_left:
      return judge_finished(world, life, end);
    case LifeEnd::failed:
    case LifeEnd::could_not_start:
      if (world.is_safety_over && life.is_clean()) {
        world.oracle.violate("L6: without faults the job fails");
      }
      return false;
    case LifeEnd::violated:
      return true;
    case LifeEnd::suspended:
      if (life.is_clean()) world.oracle.check_shared(life.job_id());
      return false;
    case LifeEnd::died:
      return false;
  }
  return true;
}

}  // namespace

Outcome simulate(Tape& tape, Mutant mutant, World::Talk talk, Guarantees guarantees) {
  World world(tape, mutant, std::move(talk), guarantees);
  world.say(world.options.describe());
  while (!world.oracle.violation()) {
    if (live_once(world)) break;
    world.oracle.check_partial_output(world.expected);
    if (world.statistics.lives > kMostLives) world.oracle.violate("L6: too many lives");
    // A person waits a little before starting it again.
    world.clock.advance(std::chrono::milliseconds(tape.below(10)));
  }
  world.statistics.repeated_lines = world.oracle.repeated_lines();
  return {.violation = world.oracle.violation(),
          .options = world.options.describe(),
          .topology = world.options.shape.topology,
          .trace_hash = world.trace.hash(),
          .statistics = world.statistics};
}

}  // namespace streamrun::sim
