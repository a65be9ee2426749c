#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/world.h"

namespace streamrun::sim {

/// What a history came to.
struct Outcome {
  std::optional<std::string> violation;
  std::string options;
  Topology topology = Topology::running_count;
  std::uint64_t trace_hash = 0;
  Statistics statistics;
};

/// Runs one history: simulated processes run one job one after another, with faults for a while and
/// then without, until it has ended by itself; its output must be that of an undisturbed run, and
/// what the store goes through on the way must keep the invariants. With
/// `at_least_once` lines may be there that count a record again.
Outcome simulate(Tape& tape, Mutant mutant, World::Talk talk = {},
                 Guarantees guarantees = Guarantees::mixed);

}  // namespace streamrun::sim
