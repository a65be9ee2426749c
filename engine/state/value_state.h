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
  const V* get() const { return static_cast<const V*>(value()); }
  V value_or(V fallback) const {
    const V* const found = get();
    return found != nullptr ? *found : std::move(fallback);
  }
  void update(V next) {
    if (auto* const old = static_cast<V*>(value_to_change())) {
      *old = std::move(next);
    } else {
      place(std::move(next));
    }
  }
  void clear() { clear_value<V>(); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_to(table,
            {.name = name(),
             .kind = "value",
             .key_type = key_type,
             .namespace_type = "void",
             .value_type = TypeSerializer<V>::type_name()},
            operations_of<V>());
  }
};

}  // namespace streamrun
