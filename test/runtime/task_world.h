#pragma once

#include <streamrun/runtime/stream_task.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/connector_harness.h"
#include "fake_operators.h"
#include "gate_world.h"
#include "wake_counter.h"

namespace streamrun {

/// One task with a channel behind it, and one before it unless its head is a source; the test is
/// its worker and its neighbours.
class TaskWorld {
 public:
  TaskWorld() : task(3, "map (1/1)", reports(), executor, world.clock) {
    task.wake_target().set({.worker = 0, .slot = 1, .generation = 0});
  }
  ~TaskWorld() { task.mailbox()->close(); }

  FakeSource& add_source() {
    auto source = std::make_unique<FakeSource>("source", script);
    FakeSource& added = *source;
    task.add_operator(std::move(source), world.context());
    ++operators_;
    return added;
  }
  void add_operator(const std::string& name) {
    task.add_operator(std::make_unique<FakeOperator>(name, script), world.context());
    if (operators_ > 0) task.chain(operators_ - 1, operators_);
    ++operators_;
  }
  /// Behind a keyed exchange with one subtask on either side.
  void add_operator_behind_exchange(const std::string& name) {
    task.add_operator(std::make_unique<FakeOperator>(name, script), world.context());
    task.chain_through(operators_ - 1, operators_, [](Senders senders) {
      using ByNumber = KeyGroupPartitioner<std::int64_t, std::int64_t, std::identity>;
      return std::make_unique<ByNumber>(std::move(senders), 128, std::identity());
    });
    ++operators_;
  }
  void add_input(bool exactly_once = true) {
    InputGate& gate = task.make_gate(1, exactly_once);
    in_ = std::make_unique<Channel>(0, gate.ready_channels(), task.wake_target(), neighbour_.target,
                                    &gate.announced_channels());
    gate.set_channel(0, *in_);
    task.set_channel_edge(0, add_edge(0));
    writer_ = std::make_unique<ChannelWriter>(*in_);
  }
  /// Without a key, to the operator at `position`.
  std::size_t add_edge(std::size_t position) {
    return task.add_input_edge({.position = position,
                                .upstream = upstream(),
                                .mapper = SubtaskStateMapper::round_robin,
                                .codec = batch_codec_of<std::int64_t>()});
  }
  static OperatorId upstream() { return operator_id_of("upstream"); }
  void count_operator() { ++operators_; }
  void connect() {
    out_ = std::make_unique<Channel>(0, out_ready_, neighbour_.target, task.wake_target(),
                                     &out_announced_);
    std::vector<std::unique_ptr<ChannelWriter>> writers;
    writers.push_back(std::make_unique<ChannelWriter>(*out_));
    auto partitioner = std::make_unique<ForwardPartitioner>(Senders{writers[0].get()});
    task.add_exchange(operators_ - 1, std::move(partitioner), std::move(writers));
    task.connect();
  }
  Result<void> open() { return task.open(std::vector<OperatorSubtaskState>(operators_)); }

  void record(std::int64_t number) {
    auto batch = std::make_unique<Batch<std::int64_t>>();
    batch->append(number);
    writer_->send(std::move(batch));
  }
  void barrier(CheckpointId id) { writer_->send_event(barrier_of(id)); }
  void overtaking_barrier(CheckpointId id, Duration at = {}) {
    writer_->send_barrier(overtaking_barrier_of(id, at));
  }
  static CheckpointBarrier overtaking_barrier_of(CheckpointId id, Duration at = {}) {
    CheckpointBarrier barrier = barrier_of(id);
    barrier.overtake_at = Instant(at);
    return barrier;
  }
  /// The id of a barrier that was announced downstream, or 0.
  CheckpointId take_announcement() {
    CheckpointBarrier barrier;
    return out_->take_announcement(barrier) ? barrier.id : 0;
  }
  /// What the snapshot has in flight to the operator at `position`: `1 2`.
  std::string in_flight(CheckpointId id, std::size_t position = 0) {
    std::string text;
    for (const InFlightHandle& handle : acknowledged.at(id)[position].in_flight) {
      std::deque<RestoredBatch> batches;
      const std::vector<InputEdge> edges = {{.position = position,
                                             .upstream = handle.upstream,
                                             .mapper = handle.mapper,
                                             .codec = batch_codec_of<std::int64_t>()}};
      const OperatorContext context = world.context();
      read_in_flight(handle, edges, 0, context, batches).value();
      for (const RestoredBatch& restored : batches) {
        for (const std::int64_t number : static_cast<Batch<std::int64_t>&>(*restored.batch)) {
          text += (text.empty() ? "" : " ") + std::to_string(number);
        }
      }
    }
    return text;
  }
  void watermark(Timestamp time) { writer_->send_event(WatermarkEvent(Watermark{time})); }
  void idle(bool is_idle = true) {
    writer_->send_event(WatermarkEvent(WatermarkStatus{.is_idle = is_idle}));
  }
  void end() { writer_->send_event(EndOfInput{}); }
  static CheckpointBarrier barrier_of(CheckpointId id) {
    return {.id = id, .target = std::make_shared<const SnapshotTarget>()};
  }

  /// Turns until it is idle or has finished.
  Progress run() {
    Progress progress = Progress::progress;
    while (progress == Progress::progress) {
      if (writer_ != nullptr) writer_->have_room();
      progress = task.run();
    }
    return progress;
  }
  /// The next thing that came out: `5` for a record, `|7`, `@9`, `idle`, `active`, `end`, or
  /// nothing.
  std::string take() {
    StreamElement element;
    if (!out_->try_pop(element)) return {};
    if (element.batch != nullptr) {
      std::string text;
      for (const std::int64_t number : static_cast<Batch<std::int64_t>&>(*element.batch)) {
        text += (text.empty() ? "" : " ") + std::to_string(number);
      }
      return text;
    }
    if (const auto* const event = std::get_if<WatermarkEvent>(&element.event))
      return text_of(*event);
    const auto* const barrier = std::get_if<CheckpointBarrier>(&element.event);
    return barrier != nullptr ? "|" + std::to_string(barrier->id) : "end";
  }
  std::string take_all() {
    std::string all;
    for (std::string next = take(); !next.empty(); next = take())
      all += (all.empty() ? "" : " ") + next;
    return all;
  }

  test::World world;
  WakeCounter executor;
  Script script;
  StreamTask task;
  std::map<CheckpointId, std::vector<OperatorSubtaskState>> acknowledged;
  std::map<CheckpointId, SnapshotTimings> timings;
  std::map<CheckpointId, std::vector<Error>> declined;
  std::vector<Error> failures;
  std::vector<CheckpointId> effects;
  int ends_of_data = 0;

 private:
  TaskReports reports() {
    return {.acknowledged =
                [this](int, CheckpointId id, std::vector<OperatorSubtaskState> states,
                       SnapshotTimings took) {
                  acknowledged[id] = std::move(states);
                  timings[id] = took;
                },
            .declined = [this](int, CheckpointId id,
                               Error error) { declined[id].push_back(std::move(error)); },
            .failed = [this](int, Error error) { failures.push_back(std::move(error)); },
            .end_of_data = [this](int) { ++ends_of_data; },
            .effects_done = [this](int, CheckpointId id) { effects.push_back(id); }};
  }

  CountedTarget neighbour_;
  ReadyChannels out_ready_{1};
  ReadyChannels out_announced_{1};
  std::unique_ptr<Channel> in_;
  std::unique_ptr<Channel> out_;
  std::unique_ptr<ChannelWriter> writer_;
  std::size_t operators_ = 0;
};

}  // namespace streamrun
