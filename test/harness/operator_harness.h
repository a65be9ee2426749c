#pragma once

#include <streamrun/stream/stream_operator.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"
#include "sim/memory_file_system.h"

namespace streamrun::test {

/// An operator to be run in every way: how to make one, and what the runtime would do around it.
template <typename T, typename U>
struct OperatorUnderTest {
  std::function<std::unique_ptr<StreamOperator>()> make;
  /// Of a record on a keyed stream, as a keyed exchange computes it; empty for other streams.
  std::function<std::uint32_t(RecordRef<T>)> key_hash = {};
};

/// One life of one operator, driven as a task drives it, on the test's thread.
template <typename T, typename U>
class OperatorHarness final : public BatchReceiver {
 public:
  explicit OperatorHarness(const OperatorUnderTest<T, U>& tested,
                           const OperatorSubtaskState& restored = {}, int subtask = 0,
                           int parallelism = 1)
      : key_hash_(tested.key_hash),
        context_(world_.context(subtask, parallelism)),
        op_(tested.make()) {
    world_.stores.add("file", std::make_unique<sim::MemoryFileSystem>());
    context_.key_groups = key_group_range_of(subtask, parallelism, context_.max_parallelism);
    if (auto* const connector = dynamic_cast<OutputConnector*>(op_.get()))
      connector->connect_output(*this);
    op_->open(context_, restored);
    op_->commit_recovered();
    op_->remove_leftovers();
  }

  /// One batch of these records; what the operator has gathered goes on as when input runs out.
  void process(const std::vector<T>& records) {
    std::unique_ptr<AnyBatch> batch = std::make_unique<Batch<T>>();
    for (const T& record : records) static_cast<Batch<T>&>(*batch).append(record);
    if (key_hash_) {
      for (const T& record : records) batch->key_hashes.push_back(key_hash_(record));
    }
    op_->receive(batch);
    CHECK(batch != nullptr);
    op_->flush();
  }
  /// Event time comes to `watermark`.
  void advance_to(Timestamp watermark) {
    while (!op_->process_watermark(watermark)) {
    }
    op_->flush();
  }
  /// Fires what is due by the clock; whether there was anything.
  bool fire_due_timers() {
    bool any = false;
    while (op_->fire_due_timers()) any = true;
    op_->flush();
    return any;
  }
  /// A step of `finish`; true if it was the last.
  bool finish_step() {
    const bool done = op_->process_watermark(kMaxTimestamp) && op_->finish();
    op_->flush();
    return done;
  }
  void finish() {
    while (!finish_step()) {
    }
  }

  /// The synchronous part; the rest is done by `complete_snapshot`, between batches or later.
  void begin_snapshot(CheckpointId id) {
    op_->prepare_snapshot(id);
    op_->flush();
    auto part = std::make_shared<SnapshotPart>();
    part->barrier = {id, std::make_shared<const SnapshotTarget>()};  // in memory: all of it inline
    part->done = [this](OperatorSubtaskState state) { snapshot_ = std::move(state); };
    part->failed = [](const Error& error) { FAIL(error.headline()); };
    snapshot_.reset();
    op_->snapshot(std::move(part));
  }
  OperatorSubtaskState complete_snapshot() {
    while (op_->advance_snapshots()) {
    }
    world_.settle();
    REQUIRE(snapshot_.has_value());
    return *std::move(snapshot_);
  }
  OperatorSubtaskState snapshot() {
    begin_snapshot(1);
    return complete_snapshot();
  }

  void receive(std::unique_ptr<AnyBatch>& batch) override {
    for (RecordRef<U> record : static_cast<const Batch<U>&>(*batch)) results.emplace_back(record);
    batch = batch->make_empty();  // as an exchange: it keeps what it was given
  }

  StreamOperator& op() { return *op_; }
  World& world() { return world_; }

  std::vector<U> results;

 private:
  World world_;
  std::function<std::uint32_t(RecordRef<T>)> key_hash_;
  OperatorContext context_;
  std::optional<OperatorSubtaskState> snapshot_;
  std::unique_ptr<StreamOperator> op_;
};

/// Runs an operator over `inputs` record by record, all at once, with snapshot and restore between
/// any two inputs, with a snapshot whose work is done only while later inputs are processed, and
/// into an output that is full every second time; `check(results, way)` looks at what each way came
/// to.
template <typename T, typename U>
void run_in_every_way(
    const OperatorUnderTest<T, U>& tested, const std::vector<T>& inputs,
    const std::function<void(std::vector<U> results, const std::string& way)>& check) {
  using Harness = OperatorHarness<T, U>;
  const auto part = [&](std::size_t from, std::size_t to) {
    return std::vector<T>(inputs.begin() + static_cast<std::ptrdiff_t>(from),
                          inputs.begin() + static_cast<std::ptrdiff_t>(to));
  };
  {
    Harness harness(tested);
    for (std::size_t i = 0; i < inputs.size(); ++i) harness.process(part(i, i + 1));
    harness.finish();
    check(std::move(harness.results), "record by record");
  }
  {
    Harness harness(tested);
    harness.process(inputs);
    harness.finish();
    check(std::move(harness.results), "all at once");
  }
  for (std::size_t cut = 0; cut <= inputs.size(); ++cut) {
    const std::string where = " after input " + std::to_string(cut);
    Harness before(tested);
    before.process(part(0, cut));
    before.begin_snapshot(1);
    std::vector<U> results = before.results;
    before.process(part(cut, inputs.size()));  // must not be in the snapshot
    const OperatorSubtaskState state = before.complete_snapshot();
    before.finish();
    check(std::move(before.results), "with a snapshot under way" + where);
    Harness after(tested, state);
    after.process(part(cut, inputs.size()));
    after.finish();
    results.insert(results.end(), after.results.begin(), after.results.end());
    check(std::move(results), "restored" + where);
  }
  {
    // Every second turn the outputs have no room: then a task only goes on with its snapshots, and
    // finishes in steps.
    Harness harness(tested);
    harness.begin_snapshot(1);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      harness.op().advance_snapshots();
      if (harness.op().ready()) harness.process(part(i, i + 1));
    }
    harness.complete_snapshot();
    bool done = false;
    for (int turn = 0; !done; ++turn) {
      if (turn % 2 == 0) {
        harness.op().advance_snapshots();
      } else {
        done = harness.finish_step();
      }
    }
    check(std::move(harness.results), "with a full output every second time");
  }
}

/// The results are `expected`, in this order, however the operator is run.
template <typename T, typename U>
void require_results(const OperatorUnderTest<T, U>& tested, const std::vector<T>& inputs,
                     const std::vector<U>& expected) {
  run_in_every_way<T, U>(tested, inputs, [&](std::vector<U> results, const std::string& way) {
    INFO(way);
    REQUIRE(results == expected);
  });
}

/// The same without regard to order: for results that come out of a hash table.
template <typename T, typename U>
void require_results_in_any_order(const OperatorUnderTest<T, U>& tested,
                                  const std::vector<T>& inputs, std::vector<U> expected) {
  std::sort(expected.begin(), expected.end());
  run_in_every_way<T, U>(tested, inputs, [&](std::vector<U> results, const std::string& way) {
    INFO(way);
    std::sort(results.begin(), results.end());
    REQUIRE(results == expected);
  });
}

}  // namespace streamrun::test
