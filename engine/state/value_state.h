#pragma once

#include <streamrun/state/keyed_state_handle.h>

#include <string>
#include <utility>

namespace streamrun {

/// Flink's ValueState: one value a key.
template <Serializable V>
class ValueState : public KeyedStateHandleBase {
 public:
  using KeyedStateHandleBase::KeyedStateHandleBase;

  /// Null if this key has no value. Valid until the next change of any state of the operator.
  const V* get() const { return read_value<V>(); }
  V value_or(V fallback) const {
    const V* const found = get();
    return found != nullptr ? *found : std::move(fallback);
  }
  void update(V next) {
    change_or_place<V>([&] { return std::move(next); }, [&](V& old) { old = std::move(next); });
  }
  void clear() { clear_read_value<V>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_value<V>(table, "value", key_type);
  }
};

}  // namespace streamrun
