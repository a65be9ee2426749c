// Barriers that overtake records at a gate.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"
#include "gate_world.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

std::string text_of(OvertakingEnd end) {
  static const char* const kNames[] = {"complete", "aborted", "subsumed"};
  return kNames[static_cast<int>(end)];
}

/// What each barrier that overtakes takes with it, by channel.
struct Clocked {
  test::StillClock clock;
};
class OvertakingWorld : Clocked, public GateWorld {
 public:
  explicit OvertakingWorld(std::size_t channels)
      : GateWorld(channels, true, &clock), recorded(channels) {}

  void set_time(Duration time) { clock.time = time; }
  Instant at(Duration time) const { return Instant(time); }
  /// The id of the barrier that is due, 0 if none is; it overtakes.
  CheckpointId overtake() {
    const auto due = gate.due_to_overtake();
    if (!due) return 0;
    recorded.assign(recorded.size(), "");
    ended.clear();
    gate.overtake({.record =
                       [this](std::size_t channel, const AnyBatch& batch) {
                         std::string& text = recorded[channel];
                         const auto& numbers = static_cast<const Batch<std::int64_t>&>(batch);
                         text += (text.empty() ? "" : " ") + std::to_string(numbers[0]);
                       },
                   .end = [this](OvertakingEnd how) { ended = text_of(how); }});
    return due->id;
  }
  void pull() {
    do push_overflow();
    while (gate.pull());
  }

  std::vector<std::string> recorded;
  std::string ended;
};

using Recorded = std::vector<std::string>;

TEST_CASE("input gate: an announced barrier overtakes what is before it, and nothing behind it",
          "[runtime]") {
  OvertakingWorld world(2);
  world.record(0, 1).record(0, 2).announced(0, 1, world.at(0s)).record(0, 3);
  world.record(1, 10).announced(1, 1, world.at(0s)).record(1, 11);
  REQUIRE(world.gate.may_overtake());
  CHECK(world.overtake() == 1);
  CHECK(world.ended.empty());
  world.pull();
  CHECK(world.ended == "complete");
  CHECK(world.recorded == Recorded{"1 2", "10"});
  CHECK_FALSE(world.gate.may_overtake());
  // What was overtaken is read as ever, each channel in order, and the barrier is not seen again.
  CHECK(world.drain() == "1 10 2 11 3");
}

TEST_CASE("input gate: what a writer had no room for is taken too", "[runtime]") {
  OvertakingWorld world(2);
  std::string all;
  for (std::int64_t i = 1; i <= 50; ++i) {
    world.record(0, i);
    all += (i == 1 ? "" : " ") + std::to_string(i);
  }
  world.announced(0, 1, world.at(0s)).record(0, 99);
  CHECK(world.overtake() == 1);
  world.pull();
  CHECK(world.ended.empty());  // the other channel has not delivered it
  CHECK(world.recorded == Recorded{all, ""});
  CHECK(world.drain() == all + " 99");
  world.barrier(1, 1);
  CHECK(world.drain().empty());
  CHECK(world.ended == "complete");
  CHECK(world.recorded == Recorded{all, ""});
}

TEST_CASE("input gate: what is pulled leaves no room for more, however many barriers overtake",
          "[runtime]") {
  OvertakingWorld world(1);
  std::int64_t sent = 0;
  for (CheckpointId id = 1; id <= 10; ++id) {
    while (world.has_room(0)) world.record(0, ++sent);
    world.announced(0, id, world.at(0s));
    CHECK(world.overtake() == id);
    world.pull();
    CHECK(world.ended == "complete");
  }
  CHECK(sent <= 3 * static_cast<std::int64_t>(Channel::kCapacity));
  // The writer is woken when half of that is read, and nothing is lost.
  const int wakes = world.wakes_of_writers();
  std::int64_t read = 0;
  for (std::string next = world.poll(); !next.empty(); next = world.poll())
    CHECK(next == std::to_string(++read));
  CHECK(read == sent);
  CHECK(world.wakes_of_writers() > wakes);
  CHECK(world.has_room(0));
}

TEST_CASE("input gate: a channel that has not announced is read as ever and recorded meanwhile",
          "[runtime]") {
  OvertakingWorld world(2);
  world.announced(0, 1, world.at(0s));
  world.record(1, 10);
  CHECK(world.overtake() == 1);
  world.pull();
  CHECK(world.recorded == Recorded{"", ""});  // its writer may go on for long: nothing is pulled
  CHECK(world.poll() == "10");
  CHECK(world.recorded == Recorded{"", "10"});
  world.record(1, 11).record(1, 12).announced(1, 1, world.at(0s)).record(1, 13);
  CHECK(world.overtake() == 0);
  world.pull();
  CHECK(world.recorded == Recorded{"", "10 11 12"});
  CHECK(world.ended == "complete");
  CHECK(world.drain() == "11 12 13");
}

TEST_CASE("input gate: a barrier that all channels deliver in time overtakes nothing",
          "[runtime]") {
  OvertakingWorld world(2);
  world.record(0, 1).announced(0, 1, world.at(5s)).announced(1, 1, world.at(5s));
  CHECK(world.overtake() == 0);
  REQUIRE(world.gate.overtakes_at());
  CHECK(*world.gate.overtakes_at() == world.at(5s));
  CHECK(world.drain() == "1 |1");
  CHECK_FALSE(world.gate.overtakes_at());
  world.set_time(6s);
  CHECK(world.overtake() == 0);
}

TEST_CASE("input gate: after its time an alignment is given up for overtaking", "[runtime]") {
  OvertakingWorld world(2);
  world.record(0, 1).announced(0, 1, world.at(5s)).record(0, 2);
  world.record(1, 10).record(1, 11).announced(1, 1, world.at(5s)).record(1, 12);
  CHECK(world.overtake() == 0);
  CHECK(world.poll() == "1");
  CHECK(world.poll() == "10");  // and the first channel waits behind its barrier
  world.set_time(2s);
  CHECK(world.gate.describe_alignment() == "no barrier");
  world.set_time(5s);
  CHECK(world.overtake() == 1);
  world.pull();
  CHECK(world.recorded == Recorded{"", "11"});
  CHECK(world.ended == "complete");
  CHECK(world.drain() == "2 11 12");
  CHECK(world.gate.alignment_began() == Instant(0s));
}

TEST_CASE("input gate: a channel that waits behind its barrier has nothing in flight, and goes on",
          "[runtime]") {
  OvertakingWorld world(2);
  world.announced(0, 1, world.at(5s)).record(0, 2);
  CHECK(world.overtake() == 0);
  CHECK(world.drain().empty());
  CHECK(world.gate.describe_alignment() == "barrier 1: 1 of 2");
  world.record(1, 10).announced(1, 1, world.at(5s));
  world.set_time(5s);
  CHECK(world.overtake() == 1);
  CHECK(world.gate.describe_alignment() == "barrier 1 overtakes: 1 of 2");
  world.pull();
  CHECK(world.recorded == Recorded{"", "10"});
  CHECK(world.drain() == "2 10");
}

TEST_CASE("input gate: an aborted checkpoint takes nothing more, and the next takes what is left",
          "[runtime]") {
  OvertakingWorld world(2);
  world.record(0, 1).record(0, 2).announced(0, 1, world.at(0s));
  CHECK(world.overtake() == 1);
  world.pull();
  CHECK(world.recorded == Recorded{"1 2", ""});
  world.gate.abort_checkpoint(1);
  CHECK(world.ended == "aborted");
  CHECK(world.poll() == "1");
  // A late announcement of it changes nothing.
  world.record(1, 10).announced(1, 1, world.at(0s)).record(1, 11);
  CHECK(world.overtake() == 0);
  world.record(0, 3).announced(0, 2, world.at(0s)).announced(1, 2, world.at(0s));
  CHECK(world.overtake() == 2);
  world.pull();
  CHECK(world.recorded == Recorded{"2 3", "10 11"});
  CHECK(world.ended == "complete");
  CHECK(world.drain() == "10 2 11 3");
}

TEST_CASE("input gate: what was aborted before it was announced overtakes nothing", "[runtime]") {
  OvertakingWorld world(1);
  world.gate.abort_checkpoint(1);
  world.record(0, 1).announced(0, 1, world.at(0s)).record(0, 2);
  CHECK(world.overtake() == 0);
  CHECK(world.drain() == "1 2");
  world.announced(0, 2, world.at(9s));
  CHECK(world.overtake() == 0);
  world.gate.abort_checkpoint(2);
  world.set_time(9s);
  CHECK(world.overtake() == 0);
  CHECK(world.drain().empty());
}

TEST_CASE("input gate: a newer barrier ends what an older one takes with it", "[runtime]") {
  OvertakingWorld world(2);
  world.record(0, 1).announced(0, 1, world.at(0s));
  CHECK(world.overtake() == 1);
  world.pull();
  world.record(1, 10).barrier(1, 2);
  CHECK(world.drain() == "1 10");
  CHECK(world.ended == "subsumed");
  world.barrier(0, 2);
  CHECK(world.drain() == "|2");
}

TEST_CASE("input gate: an end of input keeps its place when a barrier behind it overtakes",
          "[runtime]") {
  OvertakingWorld world(1);
  world.record(0, 1).end(0).announced(0, 1, world.at(0s));
  CHECK(world.overtake() == 1);
  world.pull();
  CHECK(world.recorded == Recorded{"1"});
  CHECK(world.ended == "complete");
  CHECK(world.drain() == "1 end");
}

}  // namespace
}  // namespace streamrun
