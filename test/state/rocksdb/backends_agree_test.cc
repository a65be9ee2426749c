#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "keyed_subtasks.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

template <typename K>
K key_of_number(std::uint64_t number);
template <>
std::int64_t key_of_number(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}
template <>
std::string key_of_number(std::uint64_t number) {
  return std::string(number % 40, 'k') + std::to_string(number);
}

/// What a reader sees of a key.
struct Seen {
  std::optional<std::string> value;
  std::vector<std::int64_t> list;
  std::map<std::int32_t, std::string> map;
  std::optional<std::int64_t> reduced;
  std::optional<std::int64_t> mean;
  bool operator==(const Seen&) const = default;
};

Seen seen(EveryKind& states) {
  Seen content;
  if (const auto* const value = states.value.get()) content.value = *value;
  for (const std::int64_t element : states.list.get()) content.list.push_back(element);
  for (const auto& [name, value] : states.map.entries()) content.map[name] = value;
  if (const auto* const value = states.reducing.get()) content.reduced = *value;
  content.mean = states.aggregating.get();
  return content;
}

/// The same change for whoever gets it.
std::function<void(EveryKind&)> some_change(SeededRandom& random) {
  const auto number = static_cast<std::int64_t>(random.below(1000));
  const auto name = static_cast<std::int32_t>(random.below(6));
  switch (random.below(14)) {
    case 0:
      return [](EveryKind& states) { states.value.clear(); };
    case 1:
      return [](EveryKind& states) { states.list.clear(); };
    case 2:
      return [](EveryKind& states) { states.map.clear(); };
    case 3:
      return [](EveryKind& states) { states.reducing.clear(); };
    case 4:
      return [](EveryKind& states) { states.aggregating.clear(); };
    case 5:
      return [=](EveryKind& states) { states.map.remove(name); };
    case 6:
      return [=](EveryKind& states) { states.list.update({number, number + 1}); };
    case 7:
    case 8:
      return [=](EveryKind& states) { states.list.add(number); };
    case 9:
    case 10:
      return [=](EveryKind& states) { states.map.put(name, std::string(number % 60, 'm')); };
    case 11:
      return [=](EveryKind& states) { states.reducing.add(number); };
    case 12:
      return [=](EveryKind& states) { states.aggregating.add(number); };
    default:
      return [=](EveryKind& states) { states.value.update(std::string(number % 100, 'v')); };
  }
}

/// Two operators that get the same, one on each backend, for a few lives.
template <Key K>
void run_pair(const StateTtlConfig& ttl, std::uint64_t seed) {
  INFO("seed " << seed);
  constexpr std::uint64_t kKeys = 400;
  SeededRandom random(seed);
  BackendWorld world;
  std::vector<KeyedStateHandle> from;
  CheckpointId id = 0;
  bool dropped = false;
  for (int life = 0; life < 5; ++life) {
    const auto parallelism = 1 + static_cast<int>(random.below(3));
    INFO("life " << life << " of parallelism " << parallelism);
    KeyedSubtasks<K> in_memory(world, nullptr, ttl, parallelism, from);
    KeyedSubtasks<K> on_disk(world, world.rocksdb.get(), ttl, parallelism, from);
    std::vector<std::vector<KeyedStateHandle>> ends;
    for (int snapshot = 0; snapshot < 3; ++snapshot) {
      for (int batch = 0; batch < 30; ++batch) {
        world.clock.milliseconds += static_cast<std::int64_t>(random.below(8));
        in_memory.begin_batch();
        on_disk.begin_batch();
        for (int record = 0; record < 20; ++record) {
          const K key = key_of_number<K>(random.below(kKeys));
          EveryKind& one = in_memory.at(key);
          EveryKind& other = on_disk.at(key);
          if (random.below(3) == 0) {
            REQUIRE(seen(one) == seen(other));
          } else {
            const auto change = some_change(random);
            change(one);
            change(other);
          }
        }
      }
      dropped = dropped || on_disk.rows_held() < in_memory.rows_held() / 2;
      in_memory.begin_batch();
      on_disk.begin_batch();
      const std::uint64_t threshold = random.below(2) == 0 ? 0 : BackendWorld::kAllInline;
      const bool compressed = random.below(2) == 0;
      ends = {in_memory.snapshot(++id, threshold, compressed),
              on_disk.snapshot(id, threshold, compressed)};
      REQUIRE(dump(ends[0], world.files) == dump(ends[1], world.files));
    }
    // Each from the other's, half of the time.
    from = ends[random.below(2)];
  }
  CHECK(dropped);
}

TEST_CASE("state backends: random operations on every kind leave both with the same rows (S6)",
          "[state]") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    run_pair<std::int64_t>({}, seed);
    run_pair<std::string>({}, seed);
  }
}

TEST_CASE("state backends: with times to live both have the same rows (S6)", "[state]") {
  StateTtlConfig ttl{.ttl = 150ms};
  ttl.update_type = GENERATE(StateTtlConfig::UpdateType::on_create_and_write,
                             StateTtlConfig::UpdateType::on_read_and_write);
  for (std::uint64_t seed = 1; seed <= 2; ++seed) run_pair<std::string>(ttl, seed);
}

}  // namespace
}  // namespace streamrun
