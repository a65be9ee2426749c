#include <streamrun/operators/source_operator.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"

namespace streamrun {
namespace {

/// A split is a text; its records are its characters, one a poll.
class CharacterReader final : public SourceReader<std::string> {
 public:
  void open(const OperatorContext&, std::function<void()> ask_for_split) override {
    ask_ = std::move(ask_for_split);
  }
  void start() override { ask_(); }
  void add_split(const std::string& split) override { splits_.push_back(split); }
  void no_more_splits() override { no_more_ = true; }
  SourceStatus poll(Output<std::string>& output) override {
    if (splits_.empty()) return no_more_ ? SourceStatus::ended : SourceStatus::idle;
    output.emit(splits_.front().substr(0, 1));
    splits_.front().erase(0, 1);
    if (splits_.front().empty()) {
      splits_.erase(splits_.begin());
      ask_();
    }
    return SourceStatus::more;
  }
  std::optional<Instant> next_deadline() const override { return Instant(Duration(5)); }
  std::vector<std::string> snapshot() const override { return splits_; }

 private:
  std::function<void()> ask_;
  std::vector<std::string> splits_;
  bool no_more_ = false;
};

struct Running {
  explicit Running(const OperatorSubtaskState& restored = {})
      : harness({.make =
                     [this] {
                       auto made = std::make_unique<SourceOperator<std::string>>(
                           std::make_unique<CharacterReader>());
                       made->set_ask_for_split([this] { ++asked; });
                       source = made.get();
                       return made;
                     }},
                restored) {}

  int asked = 0;
  SourceOperator<std::string>* source = nullptr;
  test::OperatorHarness<std::string, std::string> harness;
};

TEST_CASE("source operator: asks for splits, reads them and ends when there are no more",
          "[operators]") {
  Running running;
  CHECK(running.asked == 0);
  running.source->start();
  CHECK(running.asked == 1);
  CHECK(running.source->poll() == SourceStatus::idle);
  running.source->add_split("ab");
  CHECK(running.source->poll() == SourceStatus::more);
  CHECK(running.source->poll() == SourceStatus::more);
  CHECK(running.asked == 2);
  running.source->no_more_splits();
  CHECK(running.source->poll() == SourceStatus::ended);
  running.source->flush();
  CHECK(running.harness.results == std::vector<std::string>{"a", "b"});
  CHECK(running.source->records_out() == 2);
  CHECK(running.source->next_deadline() == Instant(Duration(5)));
}

TEST_CASE("source operator: its state is the splits with the position behind what it emitted",
          "[operators]") {
  Running running;
  running.source->add_split("abc");
  running.source->add_split("xy");
  running.source->poll();
  const OperatorSubtaskState state = running.harness.snapshot();
  CHECK(running.harness.results == std::vector<std::string>{"a"});
  REQUIRE(state.lists.size() == 1);
  CHECK(state.lists[0].name == kSplitsState);
  CHECK(state.lists[0].redistribution == Redistribution::split);
  CHECK(state.lists[0].elements == std::vector<std::string>{"bc", "xy"});
  const OperatorStateShape shape = running.source->state_shape();
  REQUIRE(shape.lists.size() == 1);
  CHECK(shape.lists[0].name == state.lists[0].name);
  CHECK(shape.lists[0].type == state.lists[0].type);
}

TEST_CASE("source operator: restored splits come from the enumerator, not from its state",
          "[operators]") {
  Running before;
  before.source->add_split("abc");
  Running after(before.harness.snapshot());
  CHECK(after.source->poll() == SourceStatus::idle);
  CHECK(after.harness.snapshot().lists.empty());
}

}  // namespace
}  // namespace streamrun
