#pragma once

#include <functional>

#include "sim/shrink.h"
#include "sim/simulation.h"

namespace streamrun::sim {

/// A history and what was drawn in it.
struct IsolatedRun {
  Outcome outcome;
  Numbers drawn;
};

/// Runs a history in a process of its own, so that an assertion of the engine, or a crash of it,
/// is a violation like any other and does not end this process. Of a crash the drawn numbers are
/// not known: then they are empty.
IsolatedRun run_isolated(const Tape& tape, const std::function<Outcome(Tape&)>& history);
IsolatedRun simulate_isolated(const Tape& tape, Mutant mutant);

}  // namespace streamrun::sim
