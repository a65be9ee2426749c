#include <streamrun/base/crash_point.h>
#include <streamrun/runtime/stream_task.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace streamrun {
namespace {

/// Steps of one turn: enough to amortise the worker's loop, few enough that its other tasks wait
/// under a millisecond.
constexpr int kStepsPerTurn = 16;
/// A part-filled batch of a busy task waits at most this long (`execution.buffer-timeout`).
constexpr Duration kBufferTimeout = std::chrono::milliseconds(100);

/// Hands each batch to several receivers: copies to all but the last.
class FanOut final : public BatchReceiver {
 public:
  explicit FanOut(std::vector<BatchReceiver*> receivers) : receivers_(std::move(receivers)) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    for (std::size_t i = 0; i + 1 < receivers_.size(); ++i) {
      std::unique_ptr<AnyBatch> copy = batch->clone();
      receivers_[i]->receive(copy);
    }
    if (!receivers_.empty()) receivers_.back()->receive(batch);
  }

 private:
  std::vector<BatchReceiver*> receivers_;  ///< none: the results are not used
};

/// Where an exchange has one subtask on either side: the channel is a call.
class ChainedSender final : public BatchSender {
 public:
  explicit ChainedSender(BatchReceiver& receiver) : receiver_(receiver) {}
  void send(std::unique_ptr<AnyBatch> batch) override {
    receiver_.receive(batch);
    batch->clear();
    spare_ = std::move(batch);
  }
  std::unique_ptr<AnyBatch> recycled() override { return std::move(spare_); }

 private:
  BatchReceiver& receiver_;
  std::unique_ptr<AnyBatch> spare_;
};

}  // namespace

/// An operator of the chain with what hangs on it.
struct StreamTask::Chained {
  std::unique_ptr<StreamOperator> op;
  OperatorContext context;
  std::vector<std::size_t> next;
  std::vector<std::unique_ptr<ChainedSender>> chained_senders;
  std::vector<std::unique_ptr<Partitioner>> partitioners;
  std::unique_ptr<FanOut> fan_out;
  std::vector<std::size_t> all_next;    ///< those behind partitioners too
  std::vector<ChannelWriter*> writers;  ///< to other tasks
  bool emits_watermarks = false;        ///< those that come to it end there
};

StreamTask::StreamTask(int index, std::string name, TaskReports reports, Executor& executor,
                       const Clock& clock)
    : index_(index), name_(std::move(name)), reports_(std::move(reports)), clock_(clock) {
  wake_.executor = &executor;
  mailbox_ = std::make_shared<Mailbox>(wake_);
}

StreamTask::~StreamTask() {
  mailbox_->close();
}

InputGate& StreamTask::make_gate(std::size_t channels, bool exactly_once) {
  gate_ = std::make_unique<InputGate>(channels, exactly_once, &clock_);
  gate_->show_barriers_in(metrics_.barrier_came);
  return *gate_;
}

void StreamTask::add_operator(std::unique_ptr<StreamOperator> op, OperatorContext context) {
  if (auto* const source = dynamic_cast<SourceOperatorBase*>(op.get())) source_ = source;
  auto* const emitter = dynamic_cast<WatermarkEmitter*>(op.get());
  if (emitter != nullptr) emitters_.push_back({chain_.size(), emitter});
  if (op->has_timers()) with_timers_.push_back(chain_.size());
  auto chained = std::make_unique<Chained>(Chained{.op = std::move(op),
                                                   .context = std::move(context),
                                                   .next = {},
                                                   .chained_senders = {},
                                                   .partitioners = {},
                                                   .fan_out = {},
                                                   .all_next = {},
                                                   .writers = {},
                                                   .emits_watermarks = emitter != nullptr});
  chain_.push_back(std::move(chained));
}

void StreamTask::chain(std::size_t from, std::size_t to) {
  chain_[from]->next.push_back(to);
  chain_[from]->all_next.push_back(to);
}

void StreamTask::chain_through(
    std::size_t from, std::size_t to,
    const std::function<std::unique_ptr<Partitioner>(Senders)>& make_partitioner) {
  Chained& upstream = *chain_[from];
  upstream.all_next.push_back(to);
  upstream.chained_senders.push_back(std::make_unique<ChainedSender>(*chain_[to]->op));
  upstream.partitioners.push_back(make_partitioner({upstream.chained_senders.back().get()}));
}

void StreamTask::add_exchange(std::size_t from, std::unique_ptr<Partitioner> partitioner,
                              std::vector<std::unique_ptr<ChannelWriter>> writers) {
  chain_[from]->partitioners.push_back(std::move(partitioner));
  for (auto& writer : writers) {
    chain_[from]->writers.push_back(writer.get());
    writers_.push_back(std::move(writer));
  }
}

std::size_t StreamTask::add_input_edge(InputEdge edge) {
  input_edges_.push_back(std::move(edge));
  return input_edges_.size() - 1;
}

void StreamTask::set_channel_edge(std::size_t channel, std::size_t edge) {
  channel_edges_.resize(std::max(channel_edges_.size(), channel + 1));
  channel_edges_[channel] = edge;
}

void StreamTask::connect() {
  for (auto& each : chain_) {
    auto* const connector = dynamic_cast<OutputConnector*>(each->op.get());
    if (connector == nullptr) continue;
    std::vector<BatchReceiver*> receivers;
    for (const std::size_t next : each->next) receivers.push_back(chain_[next]->op.get());
    for (const auto& partitioner : each->partitioners) receivers.push_back(partitioner.get());
    if (receivers.size() == 1) {
      connector->connect_output(*receivers.front());
    } else {
      each->fan_out = std::make_unique<FanOut>(std::move(receivers));
      connector->connect_output(*each->fan_out);
    }
  }
}

/// The one place where what a job's function throws becomes an Error with its operator.
template <typename F>
Result<void> StreamTask::guarded(F&& body) const {
  Error error;
  try {
    body();
    return {};
  } catch (const ErrorException& thrown) {
    error = thrown.error();
  } catch (const std::exception& thrown) {
    error = {.code = ErrorCode::job_failed,
             .message = std::string("a function threw: ") + thrown.what()};
  } catch (...) {
    error = {.code = ErrorCode::job_failed,
             .message = "a function threw something that is not a std::exception"};
  }
  if (error.where.empty()) error.where = "task " + name_;
  return error;
}

Result<void> StreamTask::open(const std::vector<OperatorSubtaskState>& restored) {
  // The last first, so that whoever receives is ready before whoever sends.
  for (active_ = chain_.size(); active_-- > 0;) {
    SR_TRY(
        guarded([&] { chain_[active_]->op->open(chain_[active_]->context, restored[active_]); }));
    // A key selector is a function of the job too.
    SR_TRY(guarded([&] { value_or_throw(read_restored(active_, restored[active_].in_flight)); }));
  }
  return {};
}

Result<void> StreamTask::read_restored(std::size_t position,
                                       const std::vector<InFlightHandle>& handles) {
  for (const InFlightHandle& handle : handles) {
    const auto edge =
        std::find_if(input_edges_.begin(), input_edges_.end(), [&](const InputEdge& candidate) {
          return candidate.position == position && candidate.upstream == handle.upstream &&
                 candidate.codec != nullptr && candidate.codec->type_name() == handle.type;
        });
    SR_ASSERT(edge != input_edges_.end(), "a restore plan has checked the edges");
    SR_TRY(read_in_flight(handle, input_edges_,
                          static_cast<std::size_t>(edge - input_edges_.begin()),
                          chain_[position]->context, restored_));
  }
  return {};
}

Result<void> StreamTask::commit_recovered() {
  for (auto& each : chain_) SR_TRY(guarded([&] { each->op->commit_recovered(); }));
  return {};
}

Result<void> StreamTask::remove_leftovers() {
  for (auto& each : chain_) SR_TRY(guarded([&] { each->op->remove_leftovers(); }));
  return {};
}

Progress StreamTask::run() {
  if (phase_ == Phase::failed) return Progress::finished;
  const Instant start = clock_.now();
  Progress progress = Progress::progress;
  const Result<void> result = guarded([&] {
    if (!started_) {
      started_ = true;
      last_flush_ = start;
      if (source_ != nullptr) source_->start();
      SR_CRASH("rs.first-record");
    }
    for (int i = 0; i < kStepsPerTurn && progress == Progress::progress; ++i) progress = step();
    if (progress == Progress::idle || start - last_flush_ > kBufferTimeout) {
      last_flush_ = start;
      flush_outputs();
      // What found no room has to be waited for like any other: this asks to be woken.
      if (progress == Progress::idle) outputs_have_room();
    }
  });
  publish_metrics();
  const Duration busy = clock_.now() - start;
  metrics_.busy_nanoseconds.fetch_add(static_cast<std::uint64_t>(busy.count()),
                                      std::memory_order_relaxed);
  if (!result) {
    phase_ = Phase::failed;
    reports_.failed(index_, result.error());
    return Progress::finished;
  }
  return progress;
}

Progress StreamTask::step() {
  if (auto mail = mailbox_->try_take()) {  // control goes first
    mail();
    return Progress::progress;
  }
  // Nor does back pressure hold up barriers that overtake, or what they take with them.
  if (!deferred_.empty() && trigger_deferred()) return Progress::progress;
  if (gate_ != nullptr && gate_->may_overtake() && advance_overtaking()) return Progress::progress;
  bool more_to_snapshot = false;
  if (!snapshots_.empty()) {  // back pressure does not hold them up: they emit nothing
    for (auto& each : chain_) more_to_snapshot = each->op->advance_snapshots() || more_to_snapshot;
  }
  const bool room = outputs_have_room();
  metrics_.back_pressured.store(!room, std::memory_order_relaxed);
  const bool ready = room && is_ready();
  if (!ready || is_held() || !advancing_.empty()) {
    for (const Emitter& emitter : emitters_) emitter.watermarks->pause_idleness();
  }
  Progress progress = Progress::idle;
  if (ready && !restored_.empty()) {
    progress = feed_restored();
  } else if (ready && !advancing_.empty() && !is_held()) {
    progress = advance_event_time();
  } else if (ready && goes_by_clock() && advance_by_clock()) {
    progress = Progress::progress;
  } else if (ready) {
    switch (phase_) {
      case Phase::reading:
        progress = source_ != nullptr ? read_source() : read_input();
        break;
      case Phase::finishing:
        progress = finish_operators();
        break;
      case Phase::ended:
        progress = gate_ != nullptr ? read_input() : Progress::idle;
        break;
      case Phase::failed:
        break;
    }
  }
  return more_to_snapshot ? Progress::progress : progress;
}

Progress StreamTask::feed_restored() {
  RestoredBatch next = std::move(restored_.front());
  restored_.pop_front();
  chain_[input_edges_[next.edge].position]->op->receive(next.batch);
  return Progress::progress;
}

Progress StreamTask::advance_event_time() {
  const auto [at, event] = advancing_.front();
  const auto* const watermark = std::get_if<Watermark>(&event);
  if (watermark != nullptr && !chain_[at]->op->process_watermark(watermark->timestamp))
    return Progress::progress;
  advancing_.pop_front();
  if (!chain_[at]->emits_watermarks) pass_on(at, event);
  return Progress::progress;
}

/// Behind what the operator has emitted.
void StreamTask::pass_on(std::size_t from, const WatermarkEvent& event) {
  Chained& each = *chain_[from];
  flush_output_of(each);
  for (ChannelWriter* const writer : each.writers) writer->send_event(event);
  for (const std::size_t next : each.all_next) advancing_.emplace_back(next, event);
}

/// Whether timers and watermarks that wait for the clock may go on now. They end with the input,
/// and a source that is held emits nothing.
bool StreamTask::goes_by_clock() const {
  return !(with_timers_.empty() && emitters_.empty()) && phase_ == Phase::reading &&
         restored_.empty() && advancing_.empty() && !is_held();
}

bool StreamTask::advance_by_clock() {
  for (const std::size_t op : with_timers_) {
    if (chain_[op]->op->fire_due_timers()) return true;
  }
  for (const Emitter& emitter : emitters_) {
    if (const auto event = emitter.watermarks->next_watermark(clock_.now())) {
      pass_on(emitter.op, *event);
      return true;
    }
  }
  return false;
}

Progress StreamTask::read_source() {
  if (is_held()) return Progress::idle;
  if (told_to_end_) {
    phase_ = Phase::finishing;
    return Progress::progress;
  }
  switch (source_->poll()) {
    case SourceStatus::more:
      return Progress::progress;
    case SourceStatus::idle:
      return Progress::idle;
    case SourceStatus::ended:
      phase_ = Phase::finishing;
      return Progress::progress;
  }
  return Progress::idle;
}

Progress StreamTask::read_input() {
  GateInput input = gate_->poll();
  if (auto* const batch = std::get_if<std::unique_ptr<AnyBatch>>(&input)) {
    SR_ASSERT(phase_ == Phase::reading, "no record follows the end of the input");
    chain_.front()->op->receive(*batch);
    gate_->recycle(std::move(*batch));
    return Progress::progress;
  }
  if (const auto* const barrier = std::get_if<CheckpointBarrier>(&input)) {
    snapshot(*barrier, false);
    return Progress::progress;
  }
  if (std::holds_alternative<EndOfInput>(input)) {
    phase_ = Phase::finishing;
    return Progress::progress;
  }
  if (const auto* const event = std::get_if<WatermarkEvent>(&input)) {
    advancing_.emplace_back(0, *event);
    return Progress::progress;
  }
  return Progress::idle;
}

Progress StreamTask::finish_operators() {
  if (finishing_ < chain_.size()) {
    // No record comes to it any more, so event time is at its end.
    StreamOperator& op = *chain_[finishing_]->op;
    if (op.process_watermark(kMaxTimestamp) && op.finish()) {
      op.flush();
      ++finishing_;
    }
    return Progress::progress;
  }
  flush_outputs();
  for (auto& writer : writers_) writer->send_event(EndOfInput{});
  phase_ = Phase::ended;
  reports_.end_of_data(index_);
  return Progress::progress;
}

/// A source that is to emit nothing for now, or any more.
bool StreamTask::is_held() const {
  return stopped_ || held_by_ != 0;
}

bool StreamTask::is_ready() const {
  return std::all_of(chain_.begin(), chain_.end(),
                     [](const auto& each) { return each->op->ready(); });
}

bool StreamTask::outputs_have_room() {
  bool room = true;
  for (auto& writer : writers_) room = writer->have_room() && room;
  return room;
}

void StreamTask::flush_output_of(Chained& each) {
  each.op->flush();
  for (auto& partitioner : each.partitioners) partitioner->flush();
}

void StreamTask::flush_outputs() {
  for (auto& each : chain_) flush_output_of(*each);
}

void StreamTask::trigger_checkpoint(const CheckpointBarrier& barrier, bool holds) {
  SR_ASSERT(source_ != nullptr, "only sources are triggered");
  SR_CRASH("cp.barrier.first");
  deferred_.push_back({.barrier = barrier, .holds = holds});
  trigger_deferred();
}

/// The next of them, if nothing restored stands before it or it overtakes that.
bool StreamTask::trigger_deferred() {
  const bool overtakes = !restored_.empty();
  const std::optional<Instant>& overtake_at = deferred_.front().barrier.overtake_at;
  if (overtakes && (!overtake_at || clock_.now() < *overtake_at)) return false;
  const Trigger trigger = std::move(deferred_.front());
  deferred_.pop_front();
  snapshot(trigger.barrier, overtakes);
  if (trigger.holds) held_by_ = trigger.barrier.id;
  take_what_came_behind(trigger);
  return true;
}

void StreamTask::take_what_came_behind(const Trigger& trigger) {
  for (const std::string& split : trigger.splits) source_->add_split(split);
  if (trigger.no_more_splits) source_->no_more_splits();
}

bool StreamTask::advance_overtaking() {
  const std::optional<CheckpointBarrier> barrier = gate_->due_to_overtake();
  if (!barrier) return gate_->pull();
  SR_CRASH("cp.align.timeout-switch");
  snapshot(*barrier, true);
  return true;
}

std::string snapshot_phase(const TaskMetrics& metrics, CheckpointId id) {
  if (metrics.sync_part_over >= id) return "in the asynchronous part of its snapshot";
  if (metrics.snapshot_began >= id) return "in the synchronous part of its snapshot";
  if (metrics.barrier_came >= id) return "in its alignment";
  return "which the barrier has not reached";
}

void StreamTask::snapshot(const CheckpointBarrier& barrier, bool overtakes) {
  metrics_.snapshot_began = barrier.id;
  const Instant began = clock_.now();
  const Instant first_barrier = gate_ != nullptr ? gate_->alignment_began() : began;
  for (auto& each : chain_) {
    each->op->prepare_snapshot(barrier.id);
    flush_output_of(*each);
  }
  for (auto& writer : writers_) {
    writer->send_barrier(barrier);
    SR_CRASH("cp.barrier.some-channels");
  }
  RunningSnapshot& running = snapshots_[barrier.id];
  running.states.resize(chain_.size());
  running.missing = chain_.size() + (overtakes ? 1 : 0);
  running.timings = {.start_delay = std::max(Duration(0), first_barrier - barrier.triggered),
                     .alignment = began - first_barrier,
                     .unaligned = overtakes};
  const CheckpointId snapshot_id = barrier.id;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    SR_CRASH("cp.snapshot.sync.mid");
    const CheckpointId id = barrier.id;
    auto part = std::make_shared<SnapshotPart>();
    part->barrier = barrier;
    part->shared = shared_folder_of(barrier);
    part->done = [this, id, i](OperatorSubtaskState state) { part_done(id, i, std::move(state)); };
    part->failed = [this, id](Error error) { part_failed(id, std::move(error)); };
    chain_[i]->op->snapshot(std::move(part));
  }
  if (overtakes) record_in_flight(barrier);
  // It may be complete by now, or will be when this part of it is.
  const auto found = snapshots_.find(snapshot_id);
  SR_ASSERT(found != snapshots_.end(), "a snapshot is acknowledged behind its synchronous part");
  metrics_.sync_part_over = snapshot_id;
  found->second.synced = clock_.now();
  found->second.timings.sync = *found->second.synced - began;
  acknowledge_if_complete(snapshot_id);
}

std::optional<SharedFolder> StreamTask::shared_folder_of(const CheckpointBarrier& barrier) const {
  if (barrier.target == nullptr || barrier.target->shared_directory.empty()) return std::nullopt;
  return SharedFolder{
      .directory = barrier.target->shared_directory,
      .claim =
          [this, id = barrier.id](std::string name, UniqueFunction<void()> granted) {
            reports_.claimed(index_, id, std::move(name), std::move(granted));
          },
      // An acknowledgement follows when all writers of the task are done.
      .let_go = [](const std::string&) {}};
}

void StreamTask::part_done(CheckpointId id, std::size_t op, OperatorSubtaskState state) {
  const auto found = snapshots_.find(id);
  SR_ASSERT(found != snapshots_.end() && found->second.missing > 0,
            "a snapshot's part is completed once");
  RunningSnapshot& running = found->second;
  running.states[op] = std::move(state);
  --running.missing;
  acknowledge_if_complete(id);
}

/// What stands before the barrier goes into the snapshot as it is: restored records first, then
/// what each channel holds, perhaps until the barrier has come on all of them.
void StreamTask::record_in_flight(const CheckpointBarrier& barrier) {
  auto recorder = std::make_shared<InFlightRecorder>(
      chain_.front()->context, input_edges_, barrier.target,
      [this, id = barrier.id](Result<void> result, std::vector<InFlightRecorder::Piece> pieces) {
        in_flight_done(id, std::move(result), std::move(pieces));
      });
  snapshots_.at(barrier.id).recorder = recorder;
  for (const RestoredBatch& restored : restored_) recorder->record(restored.edge, *restored.batch);
  if (gate_ == nullptr) return recorder->finish();
  gate_->overtake({.record =
                       [this, recorder](std::size_t channel, const AnyBatch& batch) {
                         recorder->record(channel_edges_[channel], batch);
                       },
                   .end =
                       [recorder](OvertakingEnd how) {
                         how == OvertakingEnd::complete ? recorder->finish() : recorder->abandon();
                       }});
}

void StreamTask::in_flight_done(CheckpointId id, Result<void> result,
                                std::vector<InFlightRecorder::Piece> pieces) {
  RunningSnapshot& running = snapshots_.at(id);
  running.in_flight = std::move(pieces);
  if (!result) return part_failed(id, std::move(result).error());
  --running.missing;
  acknowledge_if_complete(id);
}

/// Not before the synchronous part of all operators is over, though theirs may be all there is.
void StreamTask::acknowledge_if_complete(CheckpointId id) {
  const auto found = snapshots_.find(id);
  if (found->second.missing > 0 || !found->second.synced) return;
  SR_CRASH("cp.snapshot.async.mid");
  RunningSnapshot running = std::move(found->second);
  snapshots_.erase(found);
  // One that has failed too, which its decline or an abort has made too late: so what other parts
  // of it have written is removed.
  running.timings.async = clock_.now() - *running.synced;
  for (InFlightRecorder::Piece& piece : running.in_flight) {
    running.states[piece.position].in_flight.push_back(std::move(piece.handle));
  }
  reports_.acknowledged(index_, id, std::move(running.states), running.timings);
}

void StreamTask::part_failed(CheckpointId id, Error error) {
  const auto found = snapshots_.find(id);
  SR_ASSERT(found != snapshots_.end() && found->second.missing > 0,
            "a snapshot's part is completed once");
  if (!std::exchange(found->second.failed, true)) reports_.declined(index_, id, std::move(error));
  --found->second.missing;
  acknowledge_if_complete(id);
}

void StreamTask::abort_checkpoint(CheckpointId id) {
  if (held_by_ == id) held_by_ = 0;
  for (auto each = deferred_.begin(); each != deferred_.end();) {
    if (each->barrier.id != id) {
      ++each;
      continue;
    }
    Trigger aborted = std::move(*each);
    each = deferred_.erase(each);
    if (each == deferred_.begin()) {
      take_what_came_behind(aborted);
      continue;
    }
    Trigger& before = *std::prev(each);
    before.splits.insert(before.splits.end(), std::make_move_iterator(aborted.splits.begin()),
                         std::make_move_iterator(aborted.splits.end()));
    before.no_more_splits = before.no_more_splits || aborted.no_more_splits;
  }
  if (gate_ != nullptr) gate_->abort_checkpoint(id);
  if (const auto found = snapshots_.find(id); found != snapshots_.end()) {
    if (const auto recorder = found->second.recorder) recorder->abandon();
  }
  for (auto& each : chain_) each->op->notify_aborted(id);
}

void StreamTask::notify_complete(CheckpointId id) {
  SR_CRASH("cp.notify.some");
  auto missing = std::make_shared<std::size_t>(chain_.size());
  for (auto& each : chain_) {
    each->op->notify_complete(id, [this, id, missing] {
      if (--*missing == 0) reports_.effects_done(index_, id);
    });
  }
}

void StreamTask::add_split(const std::string& split) {
  if (!deferred_.empty()) return deferred_.back().splits.push_back(split);
  source_->add_split(split);
}
void StreamTask::no_more_splits() {
  if (!deferred_.empty()) {
    deferred_.back().no_more_splits = true;
    return;
  }
  source_->no_more_splits();
}
void StreamTask::stop_source() {
  stopped_ = true;
}
void StreamTask::end_source() {
  told_to_end_ = true;
}

std::optional<Instant> StreamTask::next_deadline() const {
  std::optional<Instant> nearest;
  const auto take = [&](const std::optional<Instant>& at) {
    if (at) nearest = std::min(*at, nearest.value_or(*at));
  };
  if (gate_ != nullptr) take(gate_->overtakes_at());
  if (!deferred_.empty()) take(deferred_.front().barrier.overtake_at);
  for (const auto& each : chain_) {
    if (!each->op->ready()) take(each->op->ready_at());
  }
  const bool polls =
      source_ != nullptr && !is_held() && restored_.empty() && phase_ == Phase::reading;
  if (polls) take(source_->next_deadline());
  if (goes_by_clock() && is_ready() && !metrics_.back_pressured) {
    for (const std::size_t op : with_timers_) take(chain_[op]->op->next_timer_at());
    for (const Emitter& emitter : emitters_) take(emitter.watermarks->next_watermark_at());
  }
  return nearest;
}

void StreamTask::publish_metrics() {
  if (chain_.empty()) return;
  const StreamOperator& head = *chain_.front()->op;
  const StreamOperator& last = *chain_.back()->op;
  metrics_.records_in.store(source_ != nullptr ? head.records_out() : head.records_in(),
                            std::memory_order_relaxed);
  metrics_.records_out.store(
      std::max(last.records_out(), last.records_in() * (last.records_out() == 0 ? 1 : 0)),
      std::memory_order_relaxed);
}

std::string StreamTask::dump() const {
  static constexpr const char* kPhases[] = {"reading", "finishing", "ended", "failed"};
  std::string text = name_ + ": " + kPhases[static_cast<int>(phase_)];
  if (metrics_.back_pressured.load()) text += ", back-pressured";
  if (gate_ != nullptr) text += ", " + gate_->describe_alignment();
  if (!restored_.empty()) text += ", " + std::to_string(restored_.size()) + " restored batches";
  for (const auto& [id, running] : snapshots_) {
    text +=
        ", snapshot " + std::to_string(id) + " lacks " + std::to_string(running.missing) + " parts";
  }
  return text;
}

}  // namespace streamrun
