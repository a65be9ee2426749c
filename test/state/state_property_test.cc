#include <streamrun/platform/random.h>
#include <streamrun/state/keyed_state.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "saved_state.h"
#include "set_clock.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// Count and sum, of which the result is the mean, rounded down.
struct Mean {
  using Accumulator = std::pair<std::int64_t, std::int64_t>;
  Accumulator create() const { return {0, 0}; }
  void add(Accumulator& accumulator, std::int64_t value) const {
    ++accumulator.first;
    accumulator.second += value;
  }
  std::int64_t get_result(const Accumulator& accumulator) const {
    return accumulator.second / accumulator.first;
  }
};

/// A state of every kind.
struct Handles {
  explicit Handles(const StateTtlConfig& ttl)
      : value("value", ttl),
        list("list", ttl),
        map("map", ttl),
        reducing("reducing", {}, ttl),
        aggregating("aggregating", {}, ttl) {}
  auto states() { return std::tie(value, list, map, reducing, aggregating); }

  ValueState<std::string> value;
  ListState<std::int64_t> list;
  MapState<std::int32_t, std::string> map;
  ReducingState<std::int64_t, std::plus<>> reducing;
  AggregatingState<std::int64_t, Mean> aggregating;
};

/// What one key has, or what a reader sees of it.
struct Content {
  std::optional<std::string> value;
  std::vector<std::int64_t> list;
  std::map<std::int32_t, std::string> map;
  std::optional<std::int64_t> reduced;
  std::optional<std::int64_t> mean;
  bool operator==(const Content&) const = default;
};

template <typename V>
struct Part {
  V value{};
  std::int64_t last = 0;
};

/// The same operations on plain containers, each part with its time. What has expired and is
/// hidden is simply never looked at.
class Model {
 public:
  explicit Model(const StateTtlConfig& ttl)
      : ttl_(ttl.is_enabled() ? ttl.ttl / 1ms : 0),
        touches_(ttl.update_type == StateTtlConfig::UpdateType::on_read_and_write),
        hides_(ttl.visibility == StateTtlConfig::Visibility::never_return_expired) {}

  struct Row {
    std::optional<Part<std::string>> value;
    std::vector<Part<std::int64_t>> list;
    std::map<std::int32_t, Part<std::string>> map;
    std::optional<Part<std::int64_t>> reduced;
    std::optional<Part<Mean::Accumulator>> mean;
  };

  template <typename V>
  bool is_dead(const Part<V>& part) const {
    return ttl_ != 0 && part.last + ttl_ <= now;
  }
  template <typename V>
  bool sees(const Part<V>& part) const {
    return !hides_ || !is_dead(part);
  }
  template <typename V>
  const V* read(std::optional<Part<V>>& part) const {
    return part ? read(*part) : nullptr;
  }
  template <typename V>
  const V* read(Part<V>& part) const {
    if (!sees(part)) return nullptr;
    if (touches_ && !is_dead(part)) part.last = now;
    return &part.value;
  }
  template <typename V, typename Add>
  void add(std::optional<Part<V>>& part, V empty, Add&& add_to) const {
    if (!part || !sees(*part)) part = Part<V>{std::move(empty), now};
    add_to(part->value);
    part->last = now;
  }
  Content content(std::int64_t key) {
    Row& row = rows[key];
    Content content;
    if (const auto* const value = read(row.value)) content.value = *value;
    for (auto& element : row.list) {
      if (const auto* const value = read(element)) content.list.push_back(*value);
    }
    for (auto& [name, part] : row.map) {
      if (const auto* const value = read(part)) content.map[name] = *value;
    }
    if (const auto* const value = read(row.reduced)) content.reduced = *value;
    if (const auto* const value = read(row.mean)) content.mean = Mean().get_result(*value);
    return content;
  }
  /// What a snapshot leaves out.
  void forget_expired() {
    for (auto& [key, row] : rows) {
      if (row.value && is_dead(*row.value)) row.value.reset();
      std::erase_if(row.list, [&](const auto& part) { return is_dead(part); });
      std::erase_if(row.map, [&](const auto& entry) { return is_dead(entry.second); });
      if (row.reduced && is_dead(*row.reduced)) row.reduced.reset();
      if (row.mean && is_dead(*row.mean)) row.mean.reset();
    }
  }

  std::int64_t now = 0;
  std::map<std::int64_t, Row> rows;

 private:
  std::int64_t ttl_;
  bool touches_;
  bool hides_;
};

constexpr std::int64_t kKeys = 20;

/// A table and its model, which take the same random operations.
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
        return change(static_cast<std::int64_t>(random_.below(kKeys)));
    }
  }
  void check_all() {
    for (std::int64_t key = 0; key < kKeys; ++key) REQUIRE(seen(key) == model_.content(key));
  }

 private:
  void reopen() {
    handles_ = std::make_unique<Handles>(ttl_);
    table_ = std::make_unique<KeyedTable<std::int64_t>>(4, KeyGroupRange{0, 3});
    bind_states(*handles_, *table_, "int64");
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
  Content seen(std::int64_t key) {
    set(key);
    Content content;
    if (const auto* const value = handles_->value.get()) content.value = *value;
    for (const std::int64_t element : handles_->list.get()) content.list.push_back(element);
    for (const auto& [name, value] : handles_->map.entries()) content.map[name] = value;
    if (const auto* const value = handles_->reducing.get()) content.reduced = *value;
    content.mean = handles_->aggregating.get();
    return content;
  }

  void change(std::int64_t key) {
    set(key);
    Model::Row& row = model_.rows[key];
    switch (random_.below(5)) {
      case 0:
        return change_value(row);
      case 1:
        return change_list(row);
      case 2:
        return change_map(row);
      case 3:
        return change_reducing(row);
      default:
        return change_aggregating(row);
    }
  }
  void change_value(Model::Row& row) {
    switch (random_.below(4)) {
      case 0: {
        const std::string text(random_.below(30), 'v');
        handles_->value.update(text);
        row.value = {text, model_.now};
        return;
      }
      case 1:
        handles_->value.clear();
        return row.value.reset();
      default: {
        const auto* const expected = model_.read(row.value);
        const auto* const value = handles_->value.get();
        REQUIRE((value != nullptr) == (expected != nullptr));
        if (value != nullptr) REQUIRE(*value == *expected);
      }
    }
  }
  void change_list(Model::Row& row) {
    const auto number = static_cast<std::int64_t>(random_.below(1000));
    switch (random_.below(6)) {
      case 0:
        handles_->list.clear();
        return row.list.clear();
      case 1:
        handles_->list.update({number, number + 1});
        row.list = {{number, model_.now}, {number + 1, model_.now}};
        return;
      case 2:
        handles_->list.add_all(std::vector<std::int64_t>(number % 3, number));
        row.list.insert(row.list.end(), static_cast<std::size_t>(number % 3), {number, model_.now});
        return;
      default:
        handles_->list.add(number);
        row.list.push_back({number, model_.now});
    }
  }
  void change_map(Model::Row& row) {
    const auto name = static_cast<std::int32_t>(random_.below(6));
    switch (random_.below(8)) {
      case 0:
        handles_->map.clear();
        return row.map.clear();
      case 1:
        handles_->map.remove(name);
        row.map.erase(name);
        return;
      case 2: {
        const bool is_empty = std::none_of(row.map.begin(), row.map.end(), [&](const auto& entry) {
          return model_.sees(entry.second);
        });
        REQUIRE(handles_->map.empty() == is_empty);
        return;
      }
      case 3:
      case 4: {
        const auto found = row.map.find(name);
        const auto* const expected = found != row.map.end() ? model_.read(found->second) : nullptr;
        const auto* const value = handles_->map.get(name);
        REQUIRE((value != nullptr) == (expected != nullptr));
        if (value != nullptr) REQUIRE(*value == *expected);
        return;
      }
      default: {
        const std::string text(random_.below(20), 'm');
        handles_->map.put(name, text);
        row.map[name] = {text, model_.now};
      }
    }
  }
  void change_reducing(Model::Row& row) {
    if (random_.below(5) == 0) {
      handles_->reducing.clear();
      return row.reduced.reset();
    }
    const auto number = static_cast<std::int64_t>(random_.below(1000));
    handles_->reducing.add(number);
    model_.add(row.reduced, std::int64_t{0}, [&](std::int64_t& sum) { sum += number; });
  }
  void change_aggregating(Model::Row& row) {
    if (random_.below(5) == 0) {
      handles_->aggregating.clear();
      return row.mean.reset();
    }
    const auto number = static_cast<std::int64_t>(random_.below(1000));
    handles_->aggregating.add(number);
    model_.add(row.mean, Mean::Accumulator(),
               [&](Mean::Accumulator& mean) { Mean().add(mean, number); });
  }

  StateTtlConfig ttl_;
  SetClock clock_;
  Model model_;
  Random& random_;
  std::unique_ptr<Handles> handles_;
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
