#pragma once

#include <streamrun/state/shared_folder.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/stream/batch.h>
#include <streamrun/stream/events.h>
#include <streamrun/stream/operator_context.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace streamrun {

/// What state an operator keeps, asked of a fresh one before anything runs: a restore compares it
/// with the snapshot.
struct OperatorStateShape {
  std::vector<StateDescription> keyed;
  std::vector<OperatorListState> lists;  ///< without elements
};

/// One operator's part of one snapshot, to be filled in by the owner's thread, at once or later.
struct SnapshotPart {
  CheckpointBarrier barrier;
  /// For files that later checkpoints may refer to; none: all are its own.
  std::optional<SharedFolder> shared = {};
  /// Exactly one of the two is called, once, on the owner's thread.
  std::function<void(OperatorSubtaskState)> done;
  std::function<void(Error)> failed;
};

/// One operator in one subtask: an immutable description bound to its own state. All calls come
/// from the thread that owns the task, except the first three, which run on an I/O thread before
/// that and may block. What goes wrong is thrown: `ErrorException` by engine code, anything by a
/// user's function; the task catches it in one place, names the operator, and fails the attempt.
class StreamOperator : public BatchReceiver {
 public:
  virtual OperatorStateShape state_shape() { return {}; }
  /// Gets ready to run, with the state to start from (empty for a fresh start). Blocking.
  virtual void open(const OperatorContext& context, const OperatorSubtaskState& restored) = 0;
  /// Makes visible what a completed snapshot had prepared, before any record moves. Blocking,
  /// idempotent.
  virtual void commit_recovered() {}
  /// Removes what dead attempts left, after `commit_recovered` of all subtasks. Blocking.
  virtual void remove_leftovers() {}

  /// Whether it can take another batch now; false is back pressure until a mail, or the
  /// time, changes it.
  virtual bool ready() const { return true; }
  /// When it will be ready though no mail comes (a rate limit).
  virtual std::optional<Instant> ready_at() const { return std::nullopt; }

  /// Event time has come to `watermark`: fires what waits for that, a bounded part, and says
  /// whether that was all. Then the watermark goes on, behind what was emitted.
  virtual bool process_watermark(Timestamp watermark) {
    (void)watermark;
    return true;
  }
  /// Whether the next two may have something to say.
  virtual bool has_timers() const { return false; }
  /// Fires a bounded part of the timers that are due by the clock; whether there were any.
  virtual bool fire_due_timers() { return false; }
  /// When the next of them is due.
  virtual std::optional<Instant> next_timer_at() const { return std::nullopt; }

  /// Sends on what its output has gathered.
  virtual void flush() = 0;
  /// All inputs have ended. Emits a bounded part of what is left and says whether that was all.
  virtual bool finish() { return true; }

  /// Just before the barrier leaves: the last moment at which records still belong to the snapshot.
  virtual void prepare_snapshot(CheckpointId) {}
  /// The synchronous part: fixes the state as of now. `part` may be completed later.
  virtual void snapshot(std::shared_ptr<SnapshotPart> part) = 0;
  /// A slice of the work that a snapshot left for between the batches; true while there is more.
  virtual bool advance_snapshots() { return false; }
  /// Snapshot `id` is complete and durable (so are all before it). `done` is called when the
  /// effects of that are.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): operators keep it
  virtual void notify_complete(CheckpointId id, std::function<void()> done) {
    (void)id;
    done();
  }
  virtual void notify_aborted(CheckpointId) {}

  virtual std::uint64_t records_in() const { return 0; }
  virtual std::uint64_t records_out() const { return 0; }
};

/// Type and place of what leaves an operator, so that the graph can be connected without knowing T.
class OutputConnector {
 public:
  virtual ~OutputConnector() = default;
  virtual void connect_output(BatchReceiver& receiver) = 0;
};

}  // namespace streamrun
