#pragma once

#include <streamrun/state/keyed_state_handle.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace streamrun {

/// Flink's ReducingState: one value a key, into which a function takes each value that is added:
/// `reduce(so_far, next)`. By default that is a plain function, called by its address
/// (`ReducingState<Order> latest{"latest", later_of};`); one that is a type of its own is compiled
/// into `add` (`ReducingState<std::int64_t, std::plus<>> total{"total"};`).
template <Serializable V, typename Reduce = V (*)(V, V)>
class ReducingState : public KeyedStateHandleBase {
 public:
  explicit ReducingState(std::string name, Reduce reduce = {}, const StateTtlConfig& ttl = {})
      : KeyedStateHandleBase(std::move(name), ttl), reduce_(std::move(reduce)) {}

  /// Null if nothing was added for this key. Valid until the next change of any state of the
  /// operator.
  const V* get() const { return read_value<V>(); }
  void add(V next) {
    change_or_place<V>(
        [&] { return std::move(next); },
        [&](V& so_far) { so_far = std::invoke(reduce_, std::move(so_far), std::move(next)); });
  }
  void clear() { clear_read_value<V>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    if constexpr (std::is_pointer_v<Reduce>)
      SR_ASSERT(reduce_ != nullptr, "a reducing state has a function");
    bind_value<V>(table, "reducing", key_type);
  }

 private:
  Reduce reduce_;
};

}  // namespace streamrun
