#include <streamrun/checkpoint/shared_state_registry.h>

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using Names = SharedStateRegistry::Names;
using Ids = std::set<CheckpointId>;

/// A checkpoint from its beginning to its completion.
Names take(SharedStateRegistry& registry, CheckpointId id, const Names& fresh, const Names& all) {
  registry.begin(id);
  for (const std::string& name : fresh) REQUIRE(registry.claim(id, name));
  return registry.complete(id, all);
}

TEST_CASE("shared state registry: a file goes with the last checkpoint that refers to it",
          "[checkpoint]") {
  SharedStateRegistry registry;
  CHECK(take(registry, 1, {"a"}, {"a"}).empty());
  CHECK(take(registry, 2, {"b"}, {"a", "b"}).empty());
  CHECK(take(registry, 3, {"c"}, {"b", "c"}).empty());
  CHECK(registry.holders("a") == Ids{1, 2});
  CHECK(registry.drop(1).empty());
  CHECK(registry.drop(2) == Names{"a"});
  CHECK(registry.holders("a").empty());
  CHECK(registry.drop(3) == Names{"b", "c"});
}

TEST_CASE("shared state registry: what an aborted checkpoint was the first to write goes",
          "[checkpoint]") {
  SharedStateRegistry registry;
  registry.retain(1, {"old"});
  registry.begin(2);
  CHECK(registry.claim(2, "old"));
  CHECK(registry.claim(2, "new"));
  CHECK(registry.drop(2) == Names{"new"});
  CHECK(registry.holders("old") == Ids{1});
}

TEST_CASE("shared state registry: two checkpoints under way may claim one name", "[checkpoint]") {
  SharedStateRegistry registry;
  registry.begin(1);
  registry.begin(2);
  CHECK(registry.claim(1, "same"));
  CHECK(registry.claim(2, "same"));
  CHECK(registry.drop(1).empty());
  CHECK(registry.complete(2, {"same"}).empty());
  CHECK(registry.holders("same") == Ids{2});
}

TEST_CASE("shared state registry: a file that one under way may be built upon stays",
          "[checkpoint]") {
  SharedStateRegistry registry;
  registry.retain(1, {"a"});
  registry.begin(2);
  registry.begin(3);
  CHECK(registry.complete(2, {}).empty());
  CHECK(registry.drop(1).empty());  // 3 began when 1 was complete
  SECTION("it refers to it") {
    CHECK(registry.complete(3, {"a"}).empty());
    CHECK(registry.holders("a") == Ids{3});
  }
  SECTION("it does not") {
    CHECK(registry.complete(3, {}) == Names{"a"});
  }
  SECTION("it is aborted") {
    CHECK(registry.drop(3) == Names{"a"});
  }
  SECTION("one that begins later is no reason") {
    registry.begin(4);
    CHECK(registry.drop(3) == Names{"a"});
  }
}

TEST_CASE("shared state registry: a file that is being removed is not claimed until it is gone",
          "[checkpoint]") {
  SharedStateRegistry registry;
  registry.retain(1, {"a"});
  CHECK(registry.drop(1) == Names{"a"});
  registry.begin(2);
  CHECK_FALSE(registry.claim(2, "a"));
  registry.removed({"a"});
  CHECK(registry.claim(2, "a"));
  CHECK(registry.complete(2, {"a"}).empty());
}

TEST_CASE("shared state registry: a claim that the checkpoint does not refer to is let go",
          "[checkpoint]") {
  SharedStateRegistry registry;
  CHECK(take(registry, 1, {"a", "b"}, {"a"}) == Names{"b"});
  CHECK(registry.drop(1) == Names{"a"});
  CHECK(registry.drop(1).empty());
  CHECK(registry.drop(7).empty());
}

/// Concurrent checkpoints that build upon any complete one that was there when they began or became
/// complete since, aborts and removals, in any order.
TEST_CASE("shared state registry: nothing that is referred to is ever handed out (R1, R4)",
          "[checkpoint]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    test::SeededRandom random(seed);
    SharedStateRegistry registry;
    std::map<CheckpointId, Names> complete;  // retained ones
    struct Pending {
      Names claimed;
      std::vector<Names> bases;
    };
    std::map<CheckpointId, Pending> pending;
    Names stored;
    Names going;
    CheckpointId next = 1;
    const auto hand_out = [&](const Names& names) {
      for (const std::string& name : names) {
        for (const auto& [id, held] : complete) REQUIRE(!held.contains(name));
        for (const auto& [id, each] : pending) {
          REQUIRE(!each.claimed.contains(name));
          for (const Names& base : each.bases) REQUIRE(!base.contains(name));
        }
        REQUIRE(going.insert(name).second);
      }
    };
    const auto finish_removals = [&] {
      for (const std::string& name : going) stored.erase(name);
      registry.removed(going);
      going.clear();
    };
    const auto any_of = [&](auto& ids) {
      return std::next(ids.begin(), static_cast<std::ptrdiff_t>(random.below(ids.size())));
    };
    for (int step = 0; step < 200; ++step) {
      switch (random.below(6)) {
        case 0: {
          if (pending.size() == 3) break;
          Pending& fresh = pending[next];
          for (const auto& [id, names] : complete) fresh.bases.push_back(names);
          registry.begin(next++);
          break;
        }
        case 1:
        case 2: {
          if (pending.empty()) break;
          const auto chosen = any_of(pending);
          const std::string name = std::to_string(random.below(12));
          const bool granted = registry.claim(chosen->first, name);
          REQUIRE(granted != going.contains(name));
          if (!granted) break;
          chosen->second.claimed.insert(name);
          stored.insert(name);
          break;
        }
        case 3: {
          if (pending.empty()) break;
          const auto chosen = any_of(pending);
          const CheckpointId id = chosen->first;
          const Pending done = chosen->second;
          pending.erase(chosen);
          const bool completes = random.below(3) > 0;
          if (completes) {
            Names& names = complete[id];
            for (const std::string& name : done.claimed) {
              if (random.below(4) > 0) names.insert(name);
            }
            if (!done.bases.empty()) names.merge(Names(*any_of(done.bases)));
            for (auto& [other, each] : pending) each.bases.push_back(names);
          }
          hand_out(completes ? registry.complete(id, complete.at(id)) : registry.drop(id));
          break;
        }
        case 4: {
          if (complete.empty()) break;
          const auto chosen = any_of(complete);
          const CheckpointId id = chosen->first;
          complete.erase(chosen);
          hand_out(registry.drop(id));
          break;
        }
        default:
          finish_removals();
      }
    }
    for (const auto& [id, each] : std::exchange(pending, {})) hand_out(registry.drop(id));
    finish_removals();
    Names needed;
    for (const auto& [id, names] : complete) needed.insert(names.begin(), names.end());
    REQUIRE(stored == needed);
  }
}

}  // namespace
}  // namespace streamrun
