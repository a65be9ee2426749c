#include <streamrun/runtime/input_gate.h>

#include <algorithm>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"
#include "gate_world.h"

namespace streamrun {
namespace {

constexpr bool kExactlyOnce = true;
constexpr bool kAtLeastOnce = false;

TEST_CASE("input gate: with one channel everything passes in order", "[runtime]") {
  GateWorld world(1, kExactlyOnce);
  CHECK(world.poll().empty());
  world.record(0, 1).barrier(0, 1).record(0, 2).barrier(0, 2).end(0).barrier(0, 3);
  CHECK(world.drain() == "1 |1 2 |2 end |3");
}

TEST_CASE("input gate: a barrier holds back only its own input", "[runtime]") {
  GateWorld world(3, kExactlyOnce);
  world.record(0, 1).barrier(0, 1).record(0, 2);
  CHECK(world.drain() == "1");
  world.record(1, 10).record(2, 20).record(1, 11);
  CHECK(world.gate.describe_alignment() == "barrier 1: 1 of 3");
  const std::string open = world.drain();
  CHECK(open.size() == std::string("10 20 11").size());
  CHECK(open.find("10") < open.find("11"));
  world.barrier(1, 1).record(1, 12);
  CHECK(world.drain().empty());
  world.barrier(2, 1);
  CHECK(world.poll() == "|1");
  CHECK(world.gate.describe_alignment() == "no barrier");
  const std::string rest = world.drain();
  CHECK((rest == "2 12" || rest == "12 2"));
}

TEST_CASE(
    "input gate: with at-least-once nothing is held back, and the barrier comes with its last one",
    "[runtime]") {
  GateWorld world(2, kAtLeastOnce);
  world.record(0, 1).barrier(0, 1).record(0, 2);
  CHECK(world.drain() == "1 2");
  world.record(1, 10).barrier(1, 1).record(1, 11);
  CHECK(world.drain() == "10 |1 11");
}

TEST_CASE("input gate: reads its inputs in turn, so that none starves", "[runtime]") {
  GateWorld world(3, kExactlyOnce);
  for (std::int64_t i = 0; i < 4; ++i) world.record(0, 10 + i).record(2, 30 + i);
  CHECK(world.drain() == "10 30 11 31 12 32 13 33");
}

TEST_CASE("input gate: a newer barrier ends the alignment of an older one", "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.barrier(0, 1).record(0, 1);
  CHECK(world.drain().empty());
  world.barrier(1, 2).record(1, 10);
  CHECK(world.drain() == "1");
  CHECK(world.gate.describe_alignment() == "barrier 2: 1 of 2");
  world.barrier(0, 2).record(0, 2);
  CHECK(world.poll() == "|2");
  CHECK(world.drain().size() == 4);
}

TEST_CASE("input gate: an older barrier on a later channel is passed over", "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.barrier(0, 2);
  world.barrier(1, 1).record(1, 10).barrier(1, 2);
  CHECK(world.drain() == "10 |2");
  world.barrier(0, 1);
  world.barrier(1, 2).record(1, 11);
  CHECK(world.drain() == "11");
}

TEST_CASE(
    "input gate: an aborted checkpoint lets its inputs go on, and its late barriers pass unseen",
    "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.barrier(0, 1).record(0, 1);
  CHECK(world.drain().empty());
  world.gate.abort_checkpoint(1);
  CHECK(world.drain() == "1");
  world.barrier(1, 1).record(1, 10);
  CHECK(world.drain() == "10");
  world.barrier(0, 2).barrier(1, 2);
  CHECK(world.drain() == "|2");
}

TEST_CASE("input gate: a checkpoint can be aborted before its first barrier, and after its last",
          "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.gate.abort_checkpoint(1);
  world.barrier(0, 1).record(0, 1).barrier(1, 1);
  CHECK(world.drain() == "1");
  world.barrier(0, 2).barrier(1, 2);
  CHECK(world.drain() == "|2");
  world.gate.abort_checkpoint(2);
  world.barrier(0, 3).barrier(1, 3);
  CHECK(world.drain() == "|3");
}

TEST_CASE("input gate: aborting an older checkpoint does not touch a newer alignment",
          "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.barrier(0, 5).record(0, 1);
  CHECK(world.drain().empty());
  world.gate.abort_checkpoint(4);
  CHECK(world.drain().empty());
  world.barrier(1, 5);
  CHECK(world.drain() == "|5 1");
}

TEST_CASE("input gate: aborting a newer checkpoint does not touch the alignment of an older one",
          "[runtime]") {
  const bool mode = GENERATE(kExactlyOnce, kAtLeastOnce);
  const bool has_begun = GENERATE(true, false);
  GateWorld world(2, mode);
  if (has_begun) {
    world.barrier(0, 4);
    CHECK(world.drain().empty());
  }
  world.gate.abort_checkpoint(5);
  if (!has_begun) world.barrier(0, 4);
  world.barrier(0, 5).barrier(0, 6).barrier(1, 4).barrier(1, 5).barrier(1, 6);
  CHECK(world.drain() == "|4 |6");
}

TEST_CASE("input gate: the barrier of an aborted checkpoint ends an older alignment too",
          "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.barrier(0, 4).record(0, 1);
  CHECK(world.drain().empty());
  world.gate.abort_checkpoint(5);
  world.barrier(1, 5).record(1, 10);
  const std::string rest = world.drain();
  CHECK((rest == "1 10" || rest == "10 1"));
}

TEST_CASE("input gate: with at-least-once several checkpoints are counted at once", "[runtime]") {
  GateWorld world(2, kAtLeastOnce);
  world.record(0, 1).barrier(0, 1).record(0, 2).barrier(0, 2).record(0, 3).barrier(0, 3);
  CHECK(world.drain() == "1 2 3");
  CHECK(world.gate.describe_alignment() ==
        "barrier 1: 1 of 2; barrier 2: 1 of 2; barrier 3: 1 of 2");
  world.barrier(1, 1).record(1, 10).barrier(1, 3).barrier(1, 2);
  // 2 was never to come behind 3.
  CHECK(world.drain() == "|1 10 |3");
}

TEST_CASE("input gate: with at-least-once the oldest of too many open checkpoints is given up",
          "[runtime]") {
  GateWorld world(2, kAtLeastOnce);
  for (CheckpointId id = 1; id <= 51; ++id) {
    world.barrier(0, id);
    CHECK(world.drain().empty());
  }
  world.barrier(1, 1).barrier(1, 2);
  CHECK(world.drain() == "|2");
}

TEST_CASE("input gate: an alignment begins when the first channel delivers the barrier",
          "[runtime]") {
  const bool mode = GENERATE(kExactlyOnce, kAtLeastOnce);
  test::StillClock clock;
  GateWorld world(2, mode, &clock);
  const auto at = [&](int ms) { clock.time = std::chrono::milliseconds(ms); };
  at(5);
  world.barrier(0, 1);
  CHECK(world.drain().empty());
  at(25);
  world.barrier(1, 1).barrier(1, 2);
  CHECK(world.drain() == "|1");
  CHECK(world.gate.alignment_began() == Instant(std::chrono::milliseconds(5)));
  at(40);
  world.barrier(0, 2);
  CHECK(world.drain() == "|2");
  CHECK(world.gate.alignment_began() == Instant(std::chrono::milliseconds(25)));
}

TEST_CASE("input gate: shows the newest barrier of any channel, delivered or not", "[runtime]") {
  const bool mode = GENERATE(kExactlyOnce, kAtLeastOnce);
  GateWorld world(2, mode);
  std::atomic<CheckpointId> newest{0};
  world.gate.show_barriers_in(newest);
  world.record(0, 1);
  CHECK(world.drain() == "1");
  CHECK(newest == 0);
  world.barrier(1, 7);
  CHECK(world.drain().empty());
  CHECK(newest == 7);
  world.barrier(0, 6).barrier(0, 7);
  CHECK(world.drain() == "|7");
  CHECK(newest == 7);
}

TEST_CASE("input gate: has ended when all inputs have, and still aligns barriers that come later",
          "[runtime]") {
  const bool mode = GENERATE(kExactlyOnce, kAtLeastOnce);
  GateWorld world(2, mode);
  world.end(0).barrier(0, 1);
  world.record(1, 10);
  CHECK(world.drain() == "10");
  world.barrier(1, 1).record(1, 11).end(1);
  CHECK(world.drain() == "|1 11 end");
  world.barrier(0, 2);
  CHECK(world.drain().empty());
  world.barrier(1, 2);
  CHECK(world.drain() == "|2");
}

TEST_CASE("input gate: an input may end behind the barrier that holds it back", "[runtime]") {
  GateWorld world(2, kExactlyOnce);
  world.barrier(0, 1).end(0).end(1);
  CHECK(world.drain().empty());
  world.barrier(1, 1);
  CHECK(world.drain() == "|1 end");
}

TEST_CASE("input gate: handles more channels than fit into a few words of bits", "[runtime]") {
  constexpr std::size_t kChannels = 130;
  GateWorld world(kChannels, kExactlyOnce);
  std::multiset<std::string> expected;
  for (std::size_t i = 0; i < kChannels; ++i) {
    world.record(i, static_cast<std::int64_t>(i));
    expected.insert(std::to_string(i));
    if (i != 77) world.barrier(i, 1).record(i, 1000 + static_cast<std::int64_t>(i));
  }
  std::multiset<std::string> seen;
  for (std::string next = world.poll(); !next.empty(); next = world.poll()) seen.insert(next);
  CHECK(seen == expected);
  CHECK(world.gate.describe_alignment() == "barrier 1: 129 of 130");
  world.barrier(77, 1);
  CHECK(world.poll() == "|1");
  for (std::size_t i = 0; i < kChannels - 1; ++i) CHECK_FALSE(world.poll().empty());
  CHECK(world.poll().empty());
  for (std::size_t i = 0; i < kChannels; ++i) world.end(i);
  CHECK(world.drain() == "end");
}

}  // namespace
}  // namespace streamrun
