#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/connectors/kafka/kafka_client.h>
#include <streamrun/platform/clock.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/mutant.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// What the functions and sources of a simulated job ask about the history they are part of.
class SimHooks {
 public:
  SimHooks(Tape& tape, Mutant mutant) : tape_(tape), mutant_(mutant) {}

  /// What a person's function does now and then.
  void maybe_throw() {
    if (!tape_.one_in(throw_one_in)) return;
    ++thrown;
    throw std::runtime_error("a simulated fault");
  }
  std::uint64_t records_at_once() { return tape_.log_uniform(16); }
  /// Until the source has more; often nothing.
  Duration pause() { return drawn_pause(most_pause); }
  /// Until a sink takes the next batch; often nothing.
  Duration sink_pause() { return drawn_pause(most_sink_pause); }
  bool flip() { return tape_.flip(); }
  bool is(Mutant mutant) const { return mutant_ == mutant; }
  bool has_mutant_sink() const {
    return is(Mutant::commits_early) || is(Mutant::reuses_part_names) ||
           is(Mutant::drops_last_committables) || is(Mutant::aborts_prepared) ||
           is(Mutant::cleans_by_prefix);
  }

  std::shared_ptr<KafkaClient> kafka;  ///< of the process that lives
  std::uint64_t throw_one_in = 0;      ///< records; 0: never
  Duration most_pause{0};
  Duration most_sink_pause{0};
  std::uint64_t thrown = 0;
  bool input_has_ended = false;  ///< of a reader, whichever
  /// Unfinished parts, for a mutant that removes them.
  std::map<CheckpointId, std::vector<std::string>> prepared_for;

 private:
  Duration drawn_pause(Duration most) {
    if (most.count() == 0 || tape_.flip()) return Duration(0);
    return Duration(
        static_cast<std::int64_t>(tape_.below(static_cast<std::uint64_t>(most.count()))));
  }

  Tape& tape_;
  const Mutant mutant_;
};

}  // namespace streamrun::sim
