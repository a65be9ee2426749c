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
 public:
  using Accumulator = typename Aggregation::Accumulator;

  explicit AggregatingState(std::string name, Aggregation aggregation = {})
      : KeyedStateHandleBase(std::move(name)), aggregation_(std::move(aggregation)) {}

  /// Nothing if nothing was added for this key.
  auto get() const {
    const auto* const accumulator = static_cast<const Accumulator*>(value());
    using Out = std::remove_cvref_t<decltype(result_of(*accumulator))>;
    return accumulator != nullptr ? std::optional<Out>(result_of(*accumulator)) : std::nullopt;
  }
  void add(const In& next) {
    if (auto* const accumulator = static_cast<Accumulator*>(value_to_change())) {
      aggregation_.add(*accumulator, next);
    } else {
      place(first_of(next));
    }
  }
  void clear() { clear_value<Accumulator>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    static_assert(Serializable<Accumulator>);
    bind_to(table,
            {.name = name(),
             .kind = "aggregating",
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = TypeSerializer<Accumulator>::type_name()},
            operations_of<Accumulator>());
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
