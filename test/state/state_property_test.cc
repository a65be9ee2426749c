#include <streamrun/platform/random.h>
#include <streamrun/state/keyed_state.h>

#include <chrono>
#include <cstdint>
#include <memory>

#include <catch2/catch.hpp>

#include "kinds_model.h"
#include "saved_state.h"
#include "set_clock.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kKeys = 20;

/// A table and its model, which take the same random calls.
class Pair {
 public:
  Pair(const StateTtlConfig& ttl, Random& random) : ttl_(ttl), model_(ttl), random_(random) {
    reopen();
    begin_batch();
  }

  void step() {
    switch (random_.below(30)) {
      case 0:
        clock_.milliseconds += static_cast<std::int64_t>(random_.below(8));
        return begin_batch();
      case 1:
        return save_and_restore();
      default:
        return make_a_call(static_cast<std::int64_t>(random_.below(kKeys)));
    }
  }
  void check_all() {
    for (std::int64_t key = 0; key < kKeys; ++key) {
      set(key);
      REQUIRE(seen(*states_) == model_.seen(key));
    }
  }

 private:
  void reopen() {
    states_ = std::make_unique<EveryKind>(ttl_);
    table_ = std::make_unique<KeyedTable<std::int64_t>>(4, KeyGroupRange{0, 3});
    bind_states(*states_, *table_, "int64");
    table_->use_clock(clock_);
  }
  void begin_batch() {
    table_->begin_batch();
    model_.now = clock_.milliseconds;
  }
  void save_and_restore() {
    const KeyedStateHandle handle = saved(*table_);
    model_.forget_expired();
    clock_.milliseconds += static_cast<std::int64_t>(random_.below(8));
    reopen();
    REQUIRE(restore_saved(*table_, handle));
    begin_batch();
    check_all();
  }
  void set(std::int64_t key) { table_->set_current(key, key_hash_of<std::int64_t>(key)); }
  void make_a_call(std::int64_t key) {
    set(key);
    const KindsCall what = KindsCall::some(random_);
    REQUIRE(call(what, *states_) == model_.call(what, key));
  }

  StateTtlConfig ttl_;
  SetClock clock_;
  KindsModel<std::int64_t> model_;
  Random& random_;
  std::unique_ptr<EveryKind> states_;
  std::unique_ptr<KeyedTable<std::int64_t>> table_;
};

void check_against_model(const StateTtlConfig& ttl) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    SeededRandom random(seed);
    Pair pair(ttl, random);
    for (int i = 0; i < 1500; ++i) pair.step();
    pair.check_all();
  }
}

TEST_CASE("keyed state: random operations on every kind agree with plain containers", "[state]") {
  check_against_model({});
}

TEST_CASE("state ttl: random operations in every mode agree with plain containers", "[state]") {
  using UpdateType = StateTtlConfig::UpdateType;
  using Visibility = StateTtlConfig::Visibility;
  StateTtlConfig ttl{.ttl = 20ms};
  ttl.update_type = GENERATE(UpdateType::on_create_and_write, UpdateType::on_read_and_write);
  SECTION("hidden, and cleaned up in the background") {
    ttl.cleanup_size = GENERATE(0, 1, 5);
    check_against_model(ttl);
  }
  SECTION("shown as long as it is there") {
    ttl.visibility = Visibility::return_expired_if_not_cleaned_up;
    ttl.cleanup_size = 0;
    check_against_model(ttl);
  }
}

}  // namespace
}  // namespace streamrun
