#pragma once

#include <streamrun/platform/random.h>
#include <streamrun/state/state_ttl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "every_kind.h"

namespace streamrun {

/// One call of one of the states of a key.
struct KindsCall {
  enum class Operation {
    update_value,
    read_value,
    clear_value,
    add_to_list,
    add_all_to_list,
    update_list,
    clear_list,
    put,
    remove,
    read_entry,
    ask_if_map_is_empty,
    clear_map,
    add_to_reducing,
    clear_reducing,
    add_to_aggregating,
    clear_aggregating,
  };
  static constexpr int kOperations = 16;

  static KindsCall some(Random& random) {
    // What fills a state comes oftener than what empties it.
    static constexpr Operation kOften[] = {
        Operation::update_value, Operation::add_to_list,     Operation::put,
        Operation::put,          Operation::add_to_reducing, Operation::add_to_aggregating};
    const auto drawn = random.below(kOperations + std::size(kOften));
    return {.operation =
                drawn < kOperations ? static_cast<Operation>(drawn) : kOften[drawn - kOperations],
            .number = static_cast<std::int64_t>(random.below(1000)),
            .name = static_cast<std::int32_t>(random.below(6)) - 2};
  }
  std::string text() const {
    return std::string(static_cast<std::size_t>(number % 70), static_cast<char>('a' + number % 26));
  }
  /// None to three.
  std::vector<std::int64_t> numbers() const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(number % 4), number);
  }

  Operation operation;
  std::int64_t number;
  std::int32_t name;  ///< of an entry
};

/// Makes the call; the result is what it returned, empty for none.
inline std::string call(const KindsCall& what, EveryKind& states) {
  using Operation = KindsCall::Operation;
  const auto shown = [](const std::string* text) {
    return text != nullptr ? "got " + *text : std::string("nothing");
  };
  switch (what.operation) {
    case Operation::update_value:
      states.value.update(what.text());
      break;
    case Operation::read_value:
      return shown(states.value.get());
    case Operation::clear_value:
      states.value.clear();
      break;
    case Operation::add_to_list:
      states.list.add(what.number);
      break;
    case Operation::add_all_to_list:
      states.list.add_all(what.numbers());
      break;
    case Operation::update_list:
      states.list.update(what.numbers());
      break;
    case Operation::clear_list:
      states.list.clear();
      break;
    case Operation::put:
      states.map.put(what.name, what.text());
      break;
    case Operation::remove:
      states.map.remove(what.name);
      break;
    case Operation::read_entry:
      return shown(states.map.get(what.name));
    case Operation::ask_if_map_is_empty:
      return states.map.empty() ? "empty" : "not empty";
    case Operation::clear_map:
      states.map.clear();
      break;
    case Operation::add_to_reducing:
      states.reducing.add(what.number);
      break;
    case Operation::clear_reducing:
      states.reducing.clear();
      break;
    case Operation::add_to_aggregating:
      states.aggregating.add(what.number);
      break;
    case Operation::clear_aggregating:
      states.aggregating.clear();
      break;
  }
  return {};
}

/// The same on plain containers, each part with the time of its last access. What has expired and
/// is hidden is simply never looked at.
template <typename K>
class KindsModel {
 public:
  explicit KindsModel(const StateTtlConfig& ttl)
      : ttl_(ttl.is_enabled() ? ttl.ttl / std::chrono::milliseconds(1) : 0),
        touches_(ttl.update_type == StateTtlConfig::UpdateType::on_read_and_write),
        hides_(ttl.visibility == StateTtlConfig::Visibility::never_return_expired) {}

  std::string call(const KindsCall& what, const K& key) {
    using Operation = KindsCall::Operation;
    Row& row = rows_[key];
    switch (what.operation) {
      case Operation::update_value:
        row.value = {what.text(), now};
        break;
      case Operation::read_value:
        return shown(read(row.value));
      case Operation::clear_value:
        row.value.reset();
        break;
      case Operation::add_to_list:
        row.list.push_back({what.number, now});
        break;
      case Operation::update_list:
        row.list.clear();
        [[fallthrough]];
      case Operation::add_all_to_list:
        for (const std::int64_t number : what.numbers()) row.list.push_back({number, now});
        break;
      case Operation::clear_list:
        row.list.clear();
        break;
      case Operation::put:
        row.map[what.name] = {what.text(), now};
        break;
      case Operation::remove:
        row.map.erase(what.name);
        break;
      case Operation::read_entry: {
        const auto found = row.map.find(what.name);
        return shown(found != row.map.end() ? read(found->second) : nullptr);
      }
      case Operation::ask_if_map_is_empty: {
        const bool is_empty = std::none_of(row.map.begin(), row.map.end(),
                                           [&](const auto& entry) { return sees(entry.second); });
        return is_empty ? "empty" : "not empty";
      }
      case Operation::clear_map:
        row.map.clear();
        break;
      case Operation::add_to_reducing:
        add(row.reduced, std::int64_t{0}, [&](std::int64_t& sum) { sum += what.number; });
        break;
      case Operation::clear_reducing:
        row.reduced.reset();
        break;
      case Operation::add_to_aggregating:
        add(row.mean, MeanOf::Accumulator(),
            [&](MeanOf::Accumulator& mean) { MeanOf().add(mean, what.number); });
        break;
      case Operation::clear_aggregating:
        row.mean.reset();
        break;
    }
    return {};
  }
  /// An access to all of them.
  SeenKinds seen(const K& key) {
    Row& row = rows_[key];
    SeenKinds all;
    if (const auto* const value = read(row.value)) all.value = *value;
    for (auto& element : row.list) {
      if (const auto* const value = read(element)) all.list.push_back(*value);
    }
    for (auto& [name, part] : row.map) {
      if (const auto* const value = read(part)) all.map[name] = *value;
    }
    if (const auto* const value = read(row.reduced)) all.reduced = *value;
    if (const auto* const value = read(row.mean)) all.mean = MeanOf().get_result(*value);
    return all;
  }
  /// What a snapshot leaves out.
  void forget_expired() {
    for (auto& [key, row] : rows_) {
      if (row.value && is_dead(*row.value)) row.value.reset();
      std::erase_if(row.list, [&](const auto& part) { return is_dead(part); });
      std::erase_if(row.map, [&](const auto& entry) { return is_dead(entry.second); });
      if (row.reduced && is_dead(*row.reduced)) row.reduced.reset();
      if (row.mean && is_dead(*row.mean)) row.mean.reset();
    }
  }

  std::int64_t now = 0;

 private:
  template <typename V>
  struct Part {
    V value{};
    std::int64_t last = 0;
  };
  struct Row {
    std::optional<Part<std::string>> value;
    std::vector<Part<std::int64_t>> list;
    std::map<std::int32_t, Part<std::string>> map;
    std::optional<Part<std::int64_t>> reduced;
    std::optional<Part<MeanOf::Accumulator>> mean;
  };

  static std::string shown(const std::string* text) {
    return text != nullptr ? "got " + *text : std::string("nothing");
  }
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

  std::int64_t ttl_;
  bool touches_;
  bool hides_;
  std::map<K, Row> rows_;
};

}  // namespace streamrun
