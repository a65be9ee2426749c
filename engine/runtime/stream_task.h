#pragma once

#include <streamrun/graph/job_graph.h>
#include <streamrun/operators/source_operator.h>
#include <streamrun/runtime/in_flight.h>
#include <streamrun/runtime/input_gate.h>
#include <streamrun/runtime/mailbox.h>
#include <streamrun/stream/stream_operator.h>
#include <streamrun/stream/watermark_emitter.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Counters of one task, written by its thread, read by anyone.
struct TaskMetrics {
  std::atomic<std::uint64_t> records_in{0};  ///< of the head operator; of a source, what it emitted
  std::atomic<std::uint64_t> records_out{0};  ///< of the last operator; of a sink, what it took
  std::atomic<std::uint64_t> busy_nanoseconds{0};
  std::atomic<bool> back_pressured{false};
  // Of snapshots, the highest id of which…
  std::atomic<CheckpointId> barrier_came{0};    ///< …some input has delivered the barrier
  std::atomic<CheckpointId> snapshot_began{0};  ///< …all have
  std::atomic<CheckpointId> sync_part_over{0};  ///< …the synchronous part is over
};

/// How far a task is with a snapshot that it has not acknowledged, for a person.
std::string snapshot_phase(const TaskMetrics& metrics, CheckpointId id);

/// Where the time of a task's part of a snapshot went.
struct SnapshotTimings {
  Duration start_delay{0};  ///< from the trigger to the first barrier
  Duration alignment{0};    ///< from the first barrier to the last
  Duration sync{0};         ///< in which no record was processed
  Duration async{0};        ///< until all was durable
  bool unaligned = false;   ///< the barrier did not wait for the records before it
};

/// What a task tells the JobMaster. Called on the task's thread; the receiver posts it to itself.
struct TaskReports {
  /// Also behind a decline, with what was written all the same: nobody wants it any more.
  std::function<void(int task, CheckpointId, std::vector<OperatorSubtaskState>, SnapshotTimings)>
      acknowledged;
  std::function<void(int task, CheckpointId, Error)> declined;
  std::function<void(int task, Error)> failed;
  std::function<void(int task)> end_of_data;  ///< everything was emitted, `finish` included
  std::function<void(int task, CheckpointId)> effects_done;  ///< answer to `notify_complete`
  /// A writer of the task is about to put a file of that name into the shared folder:
  /// `SharedFolder::claim`. The task's acknowledgement says that it has no writer any more.
  std::function<void(int task, CheckpointId, std::string name, UniqueFunction<void()> granted)>
      claimed = {};
};

/// One subtask of one vertex: a chain of operators between an input gate (or a source) and
/// partitioners. A cooperative state machine: each turn does a bounded amount of work and never
/// waits. One thread owns it from `start` to the end; before that an I/O thread opens it.
class StreamTask final : public Runnable {
 public:
  /// `index` is the task's number in the job.
  StreamTask(int index, std::string name, TaskReports reports, Executor& executor,
             const Clock& clock);
  ~StreamTask() override;

  // Construction, in this order, by the JobMaster's thread.
  InputGate& make_gate(std::size_t channels, bool exactly_once);
  void add_operator(std::unique_ptr<StreamOperator> op, OperatorContext context);
  /// Connects operator `from` to operator `to` of this chain.
  void chain(std::size_t from, std::size_t to);
  /// The same through a partitioner that has only this way to go: it hashes keys.
  void chain_through(std::size_t from, std::size_t to,
                     const std::function<std::unique_ptr<Partitioner>(Senders)>& make_partitioner);
  /// Adds an exchange behind operator `from`.
  void add_exchange(std::size_t from, std::unique_ptr<Partitioner> partitioner,
                    std::vector<std::unique_ptr<ChannelWriter>> writers);
  /// Says where the records of an edge come from; the number is for `set_channel_edge`.
  std::size_t add_input_edge(InputEdge edge);
  /// Of each channel of the gate, if any of them may be overtaken on.
  void set_channel_edge(std::size_t channel, std::size_t edge);
  void connect();

  // Recovery, on I/O threads, one call at a time. Throw nothing: the error says which operator.
  Result<void> open(const std::vector<OperatorSubtaskState>& restored);
  Result<void> commit_recovered();
  Result<void> remove_leftovers();

  // Any thread.
  WakeTarget& wake_target() { return wake_; }
  void post(UniqueFunction<void()> mail) { mailbox_->post(std::move(mail)); }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  const TaskMetrics& metrics() const { return metrics_; }
  const std::string& name() const { return name_; }
  bool is_source() const { return source_ != nullptr; }

  // By mail, that is on the task's thread.
  /// Of a source. `holds`: it emits nothing behind the barrier, unless the snapshot is aborted.
  void trigger_checkpoint(const CheckpointBarrier& barrier, bool holds = false);
  void abort_checkpoint(CheckpointId id);
  void notify_complete(CheckpointId id);
  void add_split(const std::string& split);
  void no_more_splits();
  /// Suspends a source: it emits nothing more, barriers still pass.
  void stop_source();
  /// Ends a source as if all of its input had been read.
  void end_source();
  std::string dump() const;

  Progress run() override;
  std::optional<Instant> next_deadline() const override;

 private:
  enum class Phase { reading, finishing, ended, failed };
  struct Chained;
  struct RunningSnapshot {
    std::vector<OperatorSubtaskState> states;
    std::shared_ptr<InFlightRecorder> recorder = {};  ///< of what the barrier overtakes
    std::vector<InFlightRecorder::Piece> in_flight = {};
    std::size_t missing = 0;
    bool failed = false;
    SnapshotTimings timings;
    std::optional<Instant> synced = {};  ///< end of the synchronous part
  };

  Progress step();
  Progress read_input();
  Progress read_source();
  Progress finish_operators();
  Progress feed_restored();
  Progress advance_event_time();
  void pass_on(std::size_t from, const WatermarkEvent& event);
  bool goes_by_clock() const;
  bool advance_by_clock();
  Result<void> read_restored(std::size_t position, const std::vector<InFlightHandle>& handles);
  bool trigger_deferred();
  struct Trigger;
  void take_what_came_behind(const Trigger& trigger);
  bool advance_overtaking();
  void snapshot(const CheckpointBarrier& barrier, bool overtakes);
  std::optional<SharedFolder> shared_folder_of(const CheckpointBarrier& barrier) const;
  void record_in_flight(const CheckpointBarrier& barrier);
  void in_flight_done(CheckpointId id, Result<void> result,
                      std::vector<InFlightRecorder::Piece> pieces);
  void part_done(CheckpointId id, std::size_t op, OperatorSubtaskState state);
  void acknowledge_if_complete(CheckpointId id);
  void part_failed(CheckpointId id, Error error);
  bool is_held() const;
  bool is_ready() const;
  bool outputs_have_room();
  void flush_output_of(Chained& each);
  void flush_outputs();
  void publish_metrics();
  template <typename F>
  Result<void> guarded(F&& body) const;

  // Constant after construction.
  int index_;
  std::string name_;
  TaskReports reports_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Chained>> chain_;
  std::unique_ptr<InputGate> gate_;
  SourceOperatorBase* source_ = nullptr;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;
  std::vector<std::size_t> with_timers_;  ///< operators of the chain
  struct Emitter {
    std::size_t op = 0;
    WatermarkEmitter* watermarks = nullptr;
  };
  std::vector<Emitter> emitters_;
  std::vector<InputEdge> input_edges_;
  std::vector<std::size_t> channel_edges_;  ///< by channel of the gate

  // Shared.
  WakeTarget wake_;
  std::shared_ptr<Mailbox> mailbox_;
  TaskMetrics metrics_;

  // Owned by the task.
  Phase phase_ = Phase::reading;
  bool started_ = false;
  bool stopped_ = false;
  bool told_to_end_ = false;
  CheckpointId held_by_ = 0;  ///< the barrier behind which nothing is to be emitted; 0: none
  /// In flight when the snapshot was taken that it started from: read before all else, what the
  /// operators at the end of the chain are to get first.
  std::deque<RestoredBatch> restored_;
  /// A watermark, or its status, on its way down the chain, and the operators that it comes to
  /// next. No record moves before it has arrived. Snapshots may be taken in between: timers that
  /// have not fired are in them.
  std::deque<std::pair<std::size_t, WatermarkEvent>> advancing_;
  struct Trigger {
    CheckpointBarrier barrier;
    bool holds = false;
    /// What came behind it stays behind it: the JobMaster's part of the checkpoint has these too.
    std::vector<std::string> splits = {};
    bool no_more_splits = false;
  };
  std::deque<Trigger> deferred_;  ///< of a source: they wait for `restored_`, or overtake it
  std::size_t finishing_ = 0;
  std::map<CheckpointId, RunningSnapshot> snapshots_;
  Instant last_flush_{};
  mutable std::size_t active_ = 0;  ///< the operator that runs, for the error's text
};

}  // namespace streamrun
