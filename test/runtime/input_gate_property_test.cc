#include <streamrun/runtime/input_gate.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "gate_world.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

constexpr std::int64_t kPerChannel = 100000;  ///< record n of channel c is the number c · this + n

/// What was written into each channel: for each barrier, how many records stood before it.
struct Written {
  std::vector<std::int64_t> records;
  std::vector<std::map<CheckpointId, std::int64_t>> before_barrier;
};

/// Writes at random and polls at random; `seen` is what came out.
struct History {
  Written written;
  std::vector<std::string> seen;
  std::set<CheckpointId> aborted;
};

History random_history(std::uint64_t seed, std::size_t channels, bool exactly_once,
                       bool with_gaps) {
  SeededRandom random(seed);
  GateWorld world(channels, exactly_once);
  History history;
  history.written.records.resize(channels);
  history.written.before_barrier.resize(channels);
  std::vector<CheckpointId> newest(channels);
  const auto poll = [&] {
    if (std::string next = world.poll(); !next.empty()) history.seen.push_back(std::move(next));
  };
  constexpr CheckpointId kLast = 12;
  for (int step = 0; step < 3000; ++step) {
    const std::size_t channel = random.below(channels);
    const std::uint64_t what = random.below(100);
    if (what < 40) {
      const auto number =
          static_cast<std::int64_t>(channel) * kPerChannel + history.written.records[channel]++;
      world.record(channel, number);
    } else if (what < 44 && newest[channel] < kLast - (with_gaps ? 2 : 1)) {
      newest[channel] += with_gaps ? 1 + static_cast<CheckpointId>(random.below(2)) : 1;
      history.written.before_barrier[channel][newest[channel]] = history.written.records[channel];
      world.barrier(channel, newest[channel]);
    } else if (what < 45 && with_gaps) {
      const auto id = static_cast<CheckpointId>(random.below(kLast - 1));
      history.aborted.insert(id);
      world.gate.abort_checkpoint(id);
    } else {
      poll();
    }
  }
  // A last barrier that all channels get, then the end.
  for (std::size_t channel = 0; channel < channels; ++channel) {
    while (!with_gaps && newest[channel] < kLast - 1) {
      history.written.before_barrier[channel][++newest[channel]] = history.written.records[channel];
      world.barrier(channel, newest[channel]);
    }
    history.written.before_barrier[channel][kLast] = history.written.records[channel];
    world.barrier(channel, kLast);
    const auto number =
        static_cast<std::int64_t>(channel) * kPerChannel + history.written.records[channel]++;
    world.record(channel, number).end(channel);
  }
  for (std::size_t i = 0; i < 100'000; ++i) poll();
  return history;
}

void check(const History& history, std::size_t channels, bool exactly_once, bool with_gaps) {
  std::vector<std::int64_t> next(channels);
  CheckpointId last_barrier = 0;
  std::size_t barriers = 0;
  bool in_order = true;
  bool cut_right = true;
  for (const std::string& each : history.seen) {
    if (each == "end") {
      CHECK(&each == &history.seen.back());
    } else if (each.front() == '|') {
      const CheckpointId id = std::stoll(each.substr(1));
      CHECK(id > last_barrier);
      last_barrier = id;
      ++barriers;
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto found = history.written.before_barrier[channel].find(id);
        REQUIRE(found != history.written.before_barrier[channel].end());
        cut_right &= exactly_once ? next[channel] == found->second : next[channel] >= found->second;
      }
    } else {
      const std::int64_t number = std::stoll(each);
      in_order &= number % kPerChannel == next[static_cast<std::size_t>(number / kPerChannel)]++;
    }
  }
  CHECK(in_order);
  CHECK(cut_right);
  CHECK(next == history.written.records);
  CHECK(history.seen.back() == "end");
  CHECK(last_barrier == 12);
  // With at-least-once a channel may run ahead, and its newer barrier takes the place of the older
  // one.
  if (!with_gaps && exactly_once) CHECK(barriers == 12);
}

// One thread: nothing for ThreadSanitizer, which needs minutes for all of them.
#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t kSeeds = 1;
#else
constexpr std::uint64_t kSeeds = 15;
#endif

TEST_CASE(
    "input gate: under any interleaving each delivered barrier cuts all inputs in the right place "
    "(S1)",
    "[runtime]") {
  const bool exactly_once = GENERATE(true, false);
  const bool with_gaps = GENERATE(true, false);
  const std::size_t channels = GENERATE(1U, 2U, 3U, 5U, 70U);
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    INFO("seed " << seed << ", channels " << channels << ", exactly once " << exactly_once
                 << ", gaps " << with_gaps);
    check(random_history(seed, channels, exactly_once, with_gaps), channels, exactly_once,
          with_gaps);
  }
}

}  // namespace
}  // namespace streamrun
