#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/mutant.h"
#include "sim/sim_options.h"

namespace streamrun::sim {

/// The command line of `streamrun_sim`.
struct SimFlags {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  std::string seeds_file;
  std::string tape_file;
  std::string save_tape;
  std::optional<Mutant> mutant;  ///< none given: a tape's own
  bool expects_violation = false;
  Guarantees guarantees = Guarantees::mixed;
  bool shrinks = false;
  std::uint64_t shrink_seconds = 30;
  bool verbose = false;
};

/// Says what is wrong and ends the process with 2 if it is not one.
SimFlags parse_flags(int argc, char** argv);

}  // namespace streamrun::sim
