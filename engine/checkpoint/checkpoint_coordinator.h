#pragma once

#include <streamrun/base/error.h>
#include <streamrun/base/ids.h>
#include <streamrun/platform/clock.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace streamrun {

struct CheckpointOptions {
  std::optional<Duration> interval;  ///< none: only on request
  Duration timeout = std::chrono::minutes(10);
  Duration min_pause{0};  ///< from the completion of one to the start of the next periodic one
  int max_concurrent = 1;
  int tolerable_failures = 0;  ///< consecutive ones; the next one fails the job
  /// Savepoints start at once, whatever is pending. False, for unaligned checkpoints, whose
  /// barriers would overtake those of a savepoint: each waits until nothing is pending.
  bool savepoints_overlap = true;
  CheckpointId first_id = 1;
};

/// Why a snapshot is taken. When several of the first four wait for the same slot they become one,
/// of the strongest reason; each savepoint is one of its own.
enum class CheckpointReason {
  periodic,
  user,            ///< somebody asked for one
  final,           ///< all input has ended: the last results wait for it
  stop,            ///< the job ends with it; nothing is triggered behind it unless it fails
  savepoint,       ///< complete, it commits nothing and no failure goes back to it
  stop_savepoint,  ///< a savepoint that the job ends with
};
inline bool is_savepoint(CheckpointReason reason) {
  return reason >= CheckpointReason::savepoint;
}
inline bool ends_job(CheckpointReason reason) {
  return reason == CheckpointReason::stop || reason == CheckpointReason::stop_savepoint;
}

/// Put barrier `id` into the sources and make the folder of the checkpoint.
struct TriggerCheckpoint {
  CheckpointId id;
  CheckpointReason reason;
};
/// All tasks have acknowledged: write `_metadata`, then answer `published` or `publish_failed`.
struct PublishCheckpoint {
  CheckpointId id;
};
/// It is durable and visible: tasks hear it, sinks commit, older ones may go.
struct NotifyComplete {
  CheckpointId id;
};
/// It is durable and visible, and that is all: whoever asked hears it.
struct SavepointDone {
  CheckpointId id;
};
/// Given up: tasks hear it, and the files that are recorded for it are deleted.
struct AbortCheckpoint {
  CheckpointId id;
  Error error;
  bool counted;  ///< towards the tolerable failures
};
/// An acknowledgement came for a checkpoint that was aborted: delete the files that came with it.
struct DiscardAcknowledgement {
  CheckpointId id;
  int task;
};
/// The current attempt of the job must fail. Nothing is triggered until `start`.
struct FailJob {
  Error error;
};
using CheckpointAction =
    std::variant<TriggerCheckpoint, PublishCheckpoint, NotifyComplete, SavepointDone,
                 AbortCheckpoint, DiscardAcknowledgement, FailJob>;
using CheckpointActions = std::vector<CheckpointAction>;

/// Decides when checkpoints start, complete and fail. A pure state machine: events and the time go
/// in, actions come out in the order in which they are to be done; no thread, clock, chance or I/O
/// of its own. `now` never goes back.
///
/// - Ids only grow (D3), also over `shutdown` and `start`; an id is used up even when its
/// checkpoint fails.
/// - Each id ends in exactly one of `NotifyComplete`, `SavepointDone`, `AbortCheckpoint`, or a
/// `FailJob` that leaves it in doubt.
/// - A pending savepoint takes a slot from checkpoints, but waits for none itself. Nothing subsumes
/// it, and it subsumes nothing, unless the job ends with it. One that fails counts towards the
/// tolerable failures only if a task is to blame; one that the job is to end with then fails the
/// attempt at any number.
/// - While `_metadata` of an id is being written it can neither expire nor be aborted: the file may
/// become visible
///   at any moment, and deleting what it refers to would make it a lie. One is written at a time,
///   in order of ids.
class CheckpointCoordinator {
 public:
  /// For `declined`, where no task is to blame.
  static constexpr int kNoTask = -1;

  /// The interval is raised to the minimum pause.
  explicit CheckpointCoordinator(CheckpointOptions options);

  /// All tasks run: periodic triggering begins after a delay in [min pause, interval], at
  /// `fraction` of it, in [0, 1]. Names are for messages; task indices below are positions in them,
  /// where no task stands before one that it reads from.
  CheckpointActions start(Instant now, std::vector<std::string> task_names, double fraction);
  /// How far a task is that has not acknowledged, in words for the message of a time-out.
  using PhaseOf = std::function<std::string(CheckpointId, int task)>;
  /// Time has passed; to be called at `next_deadline`, harmless at any other time.
  CheckpointActions on_time(Instant now, const PhaseOf& phase_of = nullptr);
  /// Asks for a checkpoint at once, or as soon as a slot is free. The minimum pause is for periodic
  /// ones only.
  CheckpointActions request(Instant now, CheckpointReason reason);
  /// Asks for a savepoint (one of the two reasons), also while suspended.
  CheckpointActions request_savepoint(Instant now, CheckpointReason reason);
  CheckpointActions acknowledged(Instant now, CheckpointId id, int task);
  /// A task (or with `kNoTask` the caller, such as when no folder could be made) gives the
  /// checkpoint up. Some reasons do not count: a task that is not ready yet, one that is closing.
  CheckpointActions declined(Instant now, CheckpointId id, int task, Error error, bool counted);
  /// The folder of a triggered checkpoint exists already: it goes on under the next id, before any
  /// barrier.
  CheckpointActions name_taken(Instant now, CheckpointId id);
  CheckpointActions published(Instant now, CheckpointId id);
  /// E-STORE-FATAL means that it is in doubt: nothing of it may be deleted, and the job fails,
  /// unless it is a savepoint, on which nothing depends.
  CheckpointActions publish_failed(Instant now, CheckpointId id, Error error);
  /// The task has ended for good: it counts as having acknowledged what is pending, and takes part
  /// in no later one.
  CheckpointActions task_finished(Instant now, int task);
  /// The attempt ends: aborts what is pending (uncounted), forgets requests, triggers nothing until
  /// `start`. One whose `_metadata` is being written stays: wait for its outcome before choosing
  /// what to restore.
  CheckpointActions shutdown(Instant now);

  /// The job is about to end with a savepoint: what is pending is aborted (uncounted; not what is
  /// being written), what waits is forgotten, and only savepoints start until `resume` or `start`.
  CheckpointActions suspend(Instant now);
  /// It goes on after all. The beat is kept.
  CheckpointActions resume(Instant now);

  /// When `on_time` has something to do, if nothing happens before.
  std::optional<Instant> next_deadline() const;
  /// The checkpoint whose `_metadata` is being written.
  std::optional<CheckpointId> publishing() const;
  std::vector<CheckpointId> pending() const;
  CheckpointId next_id() const { return next_id_; }
  /// Whether a request leads to anything: an attempt runs, and has not completed its last
  /// checkpoint.
  bool takes_requests() const { return running_ && !ended_; }
  int consecutive_failures() const { return failures_; }

 private:
  struct Pending {
    CheckpointReason reason = CheckpointReason::periodic;
    Instant deadline;
    std::set<int> waiting_for;
    bool publishing = false;
  };
  using PendingMap = std::map<CheckpointId, Pending>;

  bool has_slot() const;
  bool is_ending() const;
  Instant earliest_periodic() const;
  void trigger_what_is_due(Instant now, CheckpointActions& actions);
  void trigger(Instant now, CheckpointReason reason, CheckpointActions& actions);
  void advance_schedule(Instant now);
  void publish_next(CheckpointActions& actions);
  void expire(Instant now, const PhaseOf& phase_of, CheckpointActions& actions);
  Error expired_error(CheckpointId id, const Pending& pending, const PhaseOf& phase_of) const;
  std::string who_is_late(CheckpointId id, const Pending& pending, const PhaseOf& phase_of) const;
  void abort(CheckpointId id, const Error& error, bool counted, CheckpointActions& actions);
  void abort_pending(const std::string& why, CheckpointActions& actions);
  void abort_older_than(CheckpointId id, CheckpointActions& actions);
  void count_failure(CheckpointId id, const Error& error, bool savepoint,
                     CheckpointActions& actions);
  void fail_job(Error error, CheckpointActions& actions);
  bool may_be_discarded(CheckpointId id) const;
  void settle(Instant now, CheckpointActions& actions);

  const CheckpointOptions options_;
  bool running_ = false;
  bool suspended_ = false;
  std::vector<std::string> task_names_;
  std::set<int> active_tasks_;
  CheckpointId next_id_;
  PendingMap pending_;
  std::optional<CheckpointReason> requested_;
  std::deque<CheckpointReason> savepoints_;  // asked for, not triggered
  bool ended_ = false;                       // a final or stopping checkpoint has completed
  std::optional<Instant> next_periodic_;
  std::optional<Instant> last_success_;
  int failures_ = 0;
  int fsync_failures_ = 0;
  std::deque<CheckpointId>
      aborted_;  // the last ones, to tell late acknowledgements from doubtful ones
};

}  // namespace streamrun
