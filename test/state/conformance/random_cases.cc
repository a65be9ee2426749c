#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "conformance_case.h"
#include "keyed_operator.h"
#include "state/kinds_model.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRandomKeys = 150;

template <typename K>
K random_key(std::uint64_t number);
template <>
std::int64_t random_key(std::uint64_t number) {
  return static_cast<std::int64_t>(number) - 20;
}
template <>
std::string random_key(std::uint64_t number) {
  return std::string(number % 40, 'k') + std::to_string(number);
}
template <>
double random_key(std::uint64_t number) {
  return number == 0 ? -0.0 : (static_cast<double>(number) - 1) / 8;
}
template <>
std::pair<std::string, std::int32_t> random_key(std::uint64_t number) {
  return {std::string(number % 20, 'p'), static_cast<std::int32_t>(number / 20) - 3};
}

/// What tells keys apart: -0.0 is another than 0.0.
template <typename K>
std::string model_key(const K& key) {
  return to_bytes(key);
}

/// An operator on either backend and a model, which take the same random calls for a few lives.
template <Key K>
class RandomLives {
 public:
  RandomLives(const StateTtlConfig& ttl, std::uint64_t seed)
      : random_(seed),
        setting_{.ttl = ttl, .max_parallelism = pick<int>({1, 8, 13, 128})},
        // So little that rows come and go, by the group.
        world_(std::uint64_t{128} << 10U),
        model_(ttl),
        on_hashmap_(world_, Where::hashmap, setting_),
        on_rocksdb_(world_, Where::rocksdb, setting_) {
    model_.now = world_.clock.milliseconds;
  }

  void run() {
    for (int life = 0; life < 2; ++life) {
      INFO("life " << life);
      take_calls(true);
      if (random_.below(2) == 0) {
        come_back_from_a_checkpoint();
      } else {
        come_back_from_a_snapshot();
      }
      check_all();
    }
    REQUIRE(rows(on_hashmap_.snapshot()) == rows(on_rocksdb_.snapshot()));
  }

 private:
  template <typename T>
  T pick(std::initializer_list<T> some) {
    return *(some.begin() + random_.below(some.size()));
  }
  Lines rows(const SubtaskHandles& handles) { return dump(handles, world_.files); }

  void take_calls(bool time_passes) {
    for (int batch = 0; batch < 25; ++batch) {
      if (time_passes) world_.clock.milliseconds += static_cast<std::int64_t>(random_.below(8));
      model_.now = world_.clock.milliseconds;
      on_hashmap_.begin_batch();
      on_rocksdb_.begin_batch();
      if (random_.below(5) == 0) on_rocksdb_.forget_rows();
      for (int record = 0; record < 15; ++record) take_call();
      if (time_passes && random_.below(10) == 0) {
        // Later ones build on it.
        on_hashmap_.checkpoint(random_.below(2) == 0);
        on_rocksdb_.checkpoint(random_.below(2) == 0);
      }
      on_hashmap_.advance();
      on_rocksdb_.advance();
    }
  }
  void take_call() {
    const K key = random_key<K>(random_.below(kRandomKeys));
    const KindsCall what = KindsCall::some(random_);
    const std::string expected = model_.call(what, model_key(key));
    REQUIRE(call(what, on_hashmap_.at(key)) == expected);
    REQUIRE(call(what, on_rocksdb_.at(key)) == expected);
  }
  void check_all() {
    for (std::uint64_t number = 0; number < kRandomKeys; ++number) {
      const K key = random_key<K>(number);
      const SeenKinds expected = model_.seen(model_key(key));
      REQUIRE(seen(on_hashmap_.at(key)) == expected);
      REQUIRE(seen(on_rocksdb_.at(key)) == expected);
    }
  }

  /// Each from its own chain.
  void come_back_from_a_checkpoint() {
    const bool compressed = random_.below(2) == 0;
    const SubtaskHandles of_hashmap = on_hashmap_.checkpoint(compressed);
    const SubtaskHandles of_rocksdb = on_rocksdb_.checkpoint(compressed);
    model_.forget_expired();
    come_back(of_hashmap, of_rocksdb);
  }
  /// Both from what one of them wrote while calls went on, which are lost. Time stands still, as
  /// what expires meanwhile may be in it or not.
  void come_back_from_a_snapshot() {
    const bool compressed = random_.below(2) == 0;
    const auto hashmap = on_hashmap_.begin_snapshot(SharingFilesStrategy::no_sharing, compressed);
    const auto rocksdb = on_rocksdb_.begin_snapshot(SharingFilesStrategy::no_sharing, !compressed);
    KindsModel<std::string> as_it_was = model_;
    as_it_was.forget_expired();
    take_calls(false);
    const SubtaskHandles of_hashmap = on_hashmap_.finish(hashmap);
    const SubtaskHandles of_rocksdb = on_rocksdb_.finish(rocksdb);
    REQUIRE(rows(of_hashmap) == rows(of_rocksdb));
    model_ = std::move(as_it_was);
    const SubtaskHandles& from = random_.below(2) == 0 ? of_hashmap : of_rocksdb;
    come_back(from, from);
  }
  void come_back(const SubtaskHandles& to_hashmap, const SubtaskHandles& to_rocksdb) {
    world_.clock.milliseconds += static_cast<std::int64_t>(random_.below(20));
    model_.now = world_.clock.milliseconds;
    const int parallelism = std::min(setting_.max_parallelism, pick<int>({1, 1, 2, 3}));
    INFO("parallelism " << parallelism);
    on_hashmap_.restore(to_hashmap, parallelism);
    on_rocksdb_.restore(to_rocksdb, parallelism);
  }

  SeededRandom random_;
  OperatorSetting setting_;
  BackendWorld world_;
  KindsModel<std::string> model_;
  KeyedOperator<K, EveryKind> on_hashmap_;
  KeyedOperator<K, EveryKind> on_rocksdb_;
};

constexpr std::uint64_t kSeeds = 4;

template <Key K>
void add_random_lives(ConformanceCases& cases, const std::string& keys, std::uint64_t seed) {
  const std::array<std::pair<const char*, StateTtlConfig>, 4> ttls = {{
      {"no time to live", {}},
      {"a time to live", {.ttl = 60ms}},
      {"a time to live since the last read",
       {.ttl = 40ms, .update_type = StateTtlConfig::UpdateType::on_read_and_write}},
      {"a time to live, not cleaned up", {.ttl = 25ms, .cleanup_size = 0}},
  }};
  for (const auto& [name, ttl] : ttls) {
    for (std::uint64_t i = 0; i < kSeeds; ++i, ++seed) {
      cases.push_back({"random calls: " + keys + ", " + name + ", seed " + std::to_string(seed),
                       [ttl = ttl, seed] {
                         INFO("seed " << seed);
                         RandomLives<K>(ttl, seed).run();
                       }});
    }
  }
}

}  // namespace

ConformanceCases random_cases() {
  ConformanceCases cases;
  add_random_lives<std::int64_t>(cases, "int64 keys", 1000);
  add_random_lives<std::string>(cases, "string keys", 2000);
  add_random_lives<double>(cases, "float64 keys", 3000);
  add_random_lives<std::pair<std::string, std::int32_t>>(cases, "pairs as keys", 4000);
  return cases;
}

}  // namespace streamrun
