#pragma once

#include <streamrun/state/keyed_state.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace streamrun {

/// Count and sum, of which the result is the mean, rounded towards zero.
struct MeanOf {
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
struct EveryKind {
  explicit EveryKind(const StateTtlConfig& ttl)
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
  AggregatingState<std::int64_t, MeanOf> aggregating;
};

/// What a reader sees of a key.
struct SeenKinds {
  std::optional<std::string> value = {};
  std::vector<std::int64_t> list = {};
  std::map<std::int32_t, std::string> map = {};
  std::optional<std::int64_t> reduced = {};
  std::optional<std::int64_t> mean = {};
  bool operator==(const SeenKinds&) const = default;
};

/// With a time to live that is an access to each of them.
inline SeenKinds seen(const EveryKind& states) {
  SeenKinds all;
  if (const auto* const value = states.value.get()) all.value = *value;
  for (const std::int64_t element : states.list.get()) all.list.push_back(element);
  for (const auto& [name, value] : states.map.entries()) all.map[name] = value;
  if (const auto* const value = states.reducing.get()) all.reduced = *value;
  all.mean = states.aggregating.get();
  return all;
}

/// For messages of tests.
inline std::ostream& operator<<(std::ostream& out, const SeenKinds& all) {
  out << "value " << all.value.value_or("-") << ", list";
  for (const std::int64_t element : all.list) out << ' ' << element;
  out << ", map";
  for (const auto& [name, value] : all.map) out << ' ' << name << '=' << value;
  const auto number = [&](const std::optional<std::int64_t>& each) {
    return each ? std::to_string(*each) : std::string("-");
  };
  return out << ", reducing " << number(all.reduced) << ", aggregating " << number(all.mean);
}

}  // namespace streamrun
