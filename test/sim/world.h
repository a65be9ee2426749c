#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/memory_file_system.h"
#include "sim/mutant.h"
#include "sim/remote_store.h"
#include "sim/sim_executor.h"
#include "sim/sim_hooks.h"
#include "sim/sim_jobs.h"
#include "sim/sim_kafka.h"
#include "sim/sim_options.h"
#include "sim/store_oracle.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// What happened in a history, so that a simulation in which nothing does is noticed.
struct Statistics {
  std::uint64_t steps = 0;
  std::uint64_t lives = 0;
  std::uint64_t kills = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t restores = 0;
  std::uint64_t rescales = 0;
  std::uint64_t restarts = 0;
  std::uint64_t stops = 0;
  std::uint64_t savepoints = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t failed_checkpoints = 0;
  std::uint64_t in_flight = 0;       ///< checkpoints with records that barriers overtook
  std::uint64_t increments = 0;      ///< checkpoints that need files of earlier ones
  std::uint64_t repeated_lines = 0;  ///< of the whole output, beyond what is expected
  std::uint64_t write_errors = 0;
  std::uint64_t read_errors = 0;
  std::uint64_t thrown = 0;
  void add(const Statistics& other);
  std::string describe() const;
};

/// Everything that outlives a simulated process.
struct World {
  using Talk = std::function<void(const std::string&)>;

  World(Tape& the_tape, Mutant the_mutant, Talk the_talk, Guarantees guarantees);

  /// True while faults may come; ends the safety phase when its time is over.
  bool faults_on();
  void end_safety_phase();
  /// Says with the virtual time what goes on.
  void say(std::string_view text) const;

  Tape& tape;
  const Mutant mutant;
  const Talk talk;
  const SimOptions options;
  SimClock clock;
  Trace trace;
  SeededRandom random;
  MemoryFileSystem store;
  KafkaCluster kafka;
  StoreOracle oracle;
  std::unique_ptr<RemoteStore> remote;  ///< null: the store is this machine's disk
  SimHooks hooks;
  Pace pace;
  const ExpectedOutput expected;
  Statistics statistics;
  std::uint64_t deaths_left = 0;
  bool is_safety_over = false;
  Instant safety_over_at{};
  std::uint64_t safety_over_steps = 0;
};

}  // namespace streamrun::sim
