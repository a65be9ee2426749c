#include <streamrun/operators/sink_operator.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"

namespace streamrun {
namespace {

using Strings = std::vector<std::string>;

/// Everything that a fake writer did, kept outside of it.
struct Outside {
  std::map<std::string, int> commits;  ///< by committable
  std::deque<SinkWriter<std::string>::Prepared> preparing;
  std::deque<Strings> prepared_parts;
  std::optional<Error> next_commit_fails;
  bool ready = true;
  int opened = 0;
  int leftovers_removed = 0;
  Strings restored;
  bool restored_before_open = false;

  /// The oldest `prepare` is answered.
  void answer() {
    const auto prepared = std::move(preparing.front());
    preparing.pop_front();
    Strings part = std::move(prepared_parts.front());
    prepared_parts.pop_front();
    prepared(std::move(part));
  }
  void fail_oldest() {
    const auto prepared = std::move(preparing.front());
    preparing.pop_front();
    prepared_parts.pop_front();
    prepared(Error{.code = ErrorCode::store_full, .message = "full"});
  }
};

/// A committable for everything written since the last one: the records, joined.
class FakeWriter final : public SinkWriter<std::string> {
 public:
  explicit FakeWriter(Outside& outside) : outside_(outside) {}
  void set_restored_committables(const Strings& restored) override {
    outside_.restored = restored;
    outside_.restored_before_open = outside_.opened == 0;
  }
  void open(const OperatorContext&) override { ++outside_.opened; }
  bool ready() const override { return outside_.ready; }
  void write(const Batch<std::string>& batch) override {
    for (const std::string_view record : batch) part_ += record;
  }
  void prepare(CheckpointId, Prepared prepared) override {
    outside_.preparing.push_back(std::move(prepared));
    outside_.prepared_parts.push_back(part_.empty() ? Strings{} : Strings{part_});
    part_.clear();
  }
  Result<void> commit(const Strings& committables) override {
    if (outside_.next_commit_fails) return *std::exchange(outside_.next_commit_fails, std::nullopt);
    for (const std::string& each : committables) ++outside_.commits[each];
    return {};
  }
  Result<void> remove_leftovers() override {
    ++outside_.leftovers_removed;
    return {};
  }

 private:
  Outside& outside_;
  std::string part_;
};

/// A sink operator whose prepares, commits and mail wait for the test.
struct Sink {
  explicit Sink(Outside& its_outside, const OperatorSubtaskState& restored = {})
      : outside(its_outside), context(world.context()), op(std::make_unique<FakeWriter>(outside)) {
    op.open(context, restored);
  }
  void write(const Strings& records) {
    std::unique_ptr<AnyBatch> batch = std::make_unique<Batch<std::string>>();
    for (const std::string& record : records)
      static_cast<Batch<std::string>&>(*batch).append(record);
    op.receive(batch);
  }
  void begin_snapshot(CheckpointId id) {
    auto part = std::make_shared<SnapshotPart>();
    part->barrier = {id, std::make_shared<const SnapshotTarget>()};
    part->done = [this, id](OperatorSubtaskState state) { states[id] = std::move(state); };
    part->failed = [this, id](const Error& error) { failures[id] = error.code; };
    op.snapshot(std::move(part));
  }
  /// What snapshot `id` will commit when it is restored.
  Strings snapshot(CheckpointId id) {
    begin_snapshot(id);
    outside.answer();
    return committables(id);
  }
  Strings committables(CheckpointId id) {
    const OperatorSubtaskState& state = states.at(id);
    REQUIRE(state.lists.size() <= 1);
    return state.lists.empty() ? Strings{} : state.lists[0].elements;
  }
  void complete(CheckpointId id) {
    op.notify_complete(id, [this, id] { effects_done.push_back(id); });
  }

  Outside& outside;
  test::World world;
  OperatorContext context;
  SinkOperator<std::string> op;
  std::map<CheckpointId, OperatorSubtaskState> states;
  std::map<CheckpointId, ErrorCode> failures;
  std::vector<CheckpointId> effects_done;
};

using Commits = std::map<std::string, int>;

TEST_CASE("sink operator: nothing is committed before its snapshot is complete, then once (E1, E2)",
          "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a", "b"});
  CHECK(sink.snapshot(1) == Strings{"ab"});
  sink.world.settle();
  CHECK(outside.commits.empty());
  sink.complete(1);
  CHECK(sink.effects_done.empty());
  sink.world.settle();
  CHECK(outside.commits == Commits{{"ab", 1}});
  CHECK(sink.effects_done == std::vector<CheckpointId>{1});
  CHECK(sink.op.records_in() == 2);
}

TEST_CASE("sink operator: a committable is in every snapshot until its commit is known to be done",
          "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a"});
  sink.snapshot(1);
  sink.write({"b"});
  CHECK(sink.snapshot(2) == Strings{"a", "b"});
  sink.complete(1);
  CHECK(sink.snapshot(3) == Strings{"a", "b"});
  sink.world.io.run_one();
  CHECK(outside.commits == Commits{{"a", 1}});
  CHECK(sink.snapshot(4) == Strings{"a", "b"});
  sink.world.settle();
  CHECK(sink.snapshot(5) == Strings{"b"});
  sink.complete(5);
  sink.world.settle();
  CHECK(sink.snapshot(6).empty());
  CHECK(outside.commits == Commits{{"a", 1}, {"b", 1}});
}

TEST_CASE("sink operator: a lost notification is covered by a later one", "[operators]") {
  Outside outside;
  Sink sink(outside);
  for (CheckpointId id = 1; id <= 3; ++id) {
    sink.write({std::string(1, static_cast<char>('a' + id))});
    sink.snapshot(id);
  }
  sink.complete(2);
  sink.world.settle();
  CHECK(outside.commits == Commits{{"b", 1}, {"c", 1}});
  sink.complete(3);
  sink.world.settle();
  CHECK(outside.commits == Commits{{"b", 1}, {"c", 1}, {"d", 1}});
}

TEST_CASE("sink operator: what is being committed is not committed again by the next notification",
          "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a"});
  sink.snapshot(1);
  sink.write({"b"});
  sink.snapshot(2);
  sink.complete(1);
  sink.complete(2);
  sink.world.settle();
  CHECK(outside.commits == Commits{{"a", 1}, {"b", 1}});
  CHECK(sink.effects_done == std::vector<CheckpointId>{1, 2});
}

TEST_CASE("sink operator: the effects of a snapshot include commits that an earlier one began (L4)",
          "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a"});
  sink.snapshot(1);
  sink.snapshot(2);
  sink.complete(1);
  sink.complete(2);
  CHECK(sink.effects_done.empty());
  sink.world.settle();
  CHECK(sink.effects_done == std::vector<CheckpointId>{1, 2});
}

TEST_CASE("sink operator: with nothing to commit it answers at once", "[operators]") {
  Outside outside;
  Sink sink(outside);
  CHECK(sink.snapshot(1).empty());
  sink.complete(1);
  CHECK(sink.effects_done == std::vector<CheckpointId>{1});
}

TEST_CASE(
    "sink operator: a commit that fails is thrown where the task catches it, and is not answered",
    "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a"});
  sink.snapshot(1);
  outside.next_commit_fails = Error{.code = ErrorCode::sink_lost, .message = "gone"};
  sink.complete(1);
  CHECK(sink.world.io.run_one());
  CHECK_THROWS_AS(sink.world.deliver(), ErrorException);
  CHECK(sink.effects_done.empty());
}

TEST_CASE("sink operator: a prepare that fails declines its snapshot", "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a"});
  sink.begin_snapshot(1);
  sink.outside.fail_oldest();
  CHECK(sink.states.empty());
  CHECK(sink.failures == std::map<CheckpointId, ErrorCode>{{1, ErrorCode::store_full}});
}

TEST_CASE(
    "sink operator: records go on while a prepare is under way, and belong to the next snapshot "
    "(S7)",
    "[operators]") {
  Outside outside;
  Sink sink(outside);
  sink.write({"a"});
  sink.begin_snapshot(1);
  sink.write({"b"});
  sink.begin_snapshot(2);
  outside.answer();
  CHECK(sink.committables(1) == Strings{"a"});
  outside.answer();
  CHECK(sink.committables(2) == Strings{"a", "b"});
}

TEST_CASE(
    "sink operator: what a restored snapshot had prepared is committed before records move, once",
    "[operators]") {
  Outside outside;
  OperatorSubtaskState state;
  {
    Sink sink(outside);
    sink.write({"a"});
    sink.snapshot(1);
    state = sink.states.at(1);
  }
  outside.opened = 0;
  Sink sink(outside, state);
  CHECK(outside.restored == Strings{"a"});
  CHECK(outside.restored_before_open);
  CHECK(outside.commits.empty());
  sink.op.commit_recovered();
  CHECK(outside.commits == Commits{{"a", 1}});
  CHECK(outside.leftovers_removed == 0);
  sink.op.remove_leftovers();
  CHECK(outside.leftovers_removed == 1);
  CHECK(sink.snapshot(2).empty());
}

TEST_CASE("sink operator: a recovered commit that fails fails the recovery", "[operators]") {
  Outside outside;
  OperatorSubtaskState state;
  {
    Sink sink(outside);
    sink.write({"a"});
    sink.snapshot(1);
    state = sink.states.at(1);
  }
  Sink sink(outside, state);
  outside.next_commit_fails = Error{.code = ErrorCode::sink_lost, .message = "gone"};
  CHECK_THROWS_AS(sink.op.commit_recovered(), ErrorException);
}

TEST_CASE("sink operator: is ready when its writer is, and declares its state", "[operators]") {
  Outside outside;
  Sink sink(outside);
  CHECK(sink.op.ready());
  outside.ready = false;
  CHECK_FALSE(sink.op.ready());
  sink.write({"a"});
  sink.snapshot(1);
  const OperatorStateShape shape = sink.op.state_shape();
  REQUIRE(shape.lists.size() == 1);
  CHECK(shape.lists[0].name == sink.states.at(1).lists[0].name);
  CHECK(shape.lists[0].type == sink.states.at(1).lists[0].type);
}

}  // namespace
}  // namespace streamrun
