#pragma once

#include <streamrun/state/keyed_state_handle.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace streamrun {

/// Flink's AggregatingState: an accumulator a key, into which values of another type go. An
/// aggregation is a value with
///   using Accumulator = …;                             what is kept
///   Accumulator create() const;                        an empty one
///   void add(Accumulator&, const In&) const;
///   Out get_result(const Accumulator&) const;          without it the result is the accumulator
/// Instead of an empty one `create(const In&)` may make that of a first value, as the aggregations
/// of a keyed stream do.
template <typename In, typename Aggregation>
class AggregatingState : public KeyedStateHandleBase {
  static_assert(Serializable<typename Aggregation::Accumulator>);

 public:
  using Accumulator = typename Aggregation::Accumulator;

  explicit AggregatingState(std::string name, Aggregation aggregation = {},
                            const StateTtlConfig& ttl = {})
      : KeyedStateHandleBase(std::move(name), ttl), aggregation_(std::move(aggregation)) {}

  /// Nothing if nothing was added for this key.
  auto get() const {
    const auto* const accumulator = read_value<Accumulator>();
    using Out = std::remove_cvref_t<decltype(result_of(*accumulator))>;
    return accumulator != nullptr ? std::optional<Out>(result_of(*accumulator)) : std::nullopt;
  }
  void add(const In& next) {
    change_or_place<Accumulator>(
        [&] { return first_of(next); },
        [&](Accumulator& accumulator) { aggregation_.add(accumulator, next); });
  }
  void clear() { clear_read_value<Accumulator>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_value<Accumulator>(table, "aggregating", key_type);
  }

 private:
  Accumulator first_of(const In& next) const {
    if constexpr (requires { aggregation_.create(next); }) {
      return aggregation_.create(next);
    } else {
      Accumulator accumulator = aggregation_.create();
      aggregation_.add(accumulator, next);
      return accumulator;
    }
  }
  decltype(auto) result_of(const Accumulator& accumulator) const {
    if constexpr (requires { aggregation_.get_result(accumulator); }) {
      return aggregation_.get_result(accumulator);
    } else {
      return accumulator;
    }
  }

  Aggregation aggregation_;
};

}  // namespace streamrun
