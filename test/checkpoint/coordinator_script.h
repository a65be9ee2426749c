#pragma once

#include <streamrun/checkpoint/checkpoint_coordinator.h>

#include <string>
#include <vector>

namespace streamrun::test {

/// One event at a second, and the actions that must come of it.
struct Step {
  int second;
  std::string event;
  std::string actions;
};

/// Plays events, written as words, into a coordinator of two tasks `left` and `right`:
/// `start` (with the first delay at 0 of its room), `start 0.5`, `time`, `user`, `final`, `stop`,
/// `savepoint`, `last-savepoint` (the job ends with it), `suspend`, `resume`,
/// `ack 1 0` (checkpoint, task), `all 1`, `declined 1 0 io` (counted), `refused 1 0 io`
/// (uncounted), `published 1`, `failed 1 fsync`, `finished 0`, `taken 1`, `down`. The answer:
/// `trigger 1`, `publish 1`, `complete 1`, `saved 1`, `abort 1` (counted), `drop 1` (uncounted),
/// `discard 1/0`, `FAIL`, joined by blanks; `-` for nothing.
class CoordinatorScript {
 public:
  explicit CoordinatorScript(CheckpointOptions options) : coordinator_(options) {}
  std::string play(int second, const std::string& event);
  CheckpointCoordinator& coordinator() { return coordinator_; }
  /// The second of `next_deadline`, -1 for none.
  double next_second() const;
  const CheckpointActions& last() const { return last_; }

 private:
  CheckpointActions apply(Instant now, const std::vector<std::string>& words);
  CheckpointCoordinator coordinator_;
  CheckpointActions last_;
};

Instant at_second(double second);

}  // namespace streamrun::test
