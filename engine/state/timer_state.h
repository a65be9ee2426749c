#pragma once

#include <streamrun/state/keyed_state_handle.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace streamrun {

/// The timers of the current key in one time domain: its times in order, each once. State like any
/// other, under the names that Flink gives its queues of timers; a key without timers has none.
class TimerState : public KeyedStateHandleBase {
 public:
  using Times = std::vector<std::int64_t>;  ///< milliseconds since 1970

  using KeyedStateHandleBase::KeyedStateHandleBase;

  /// False if the key has this timer already.
  bool add(std::int64_t time) {
    const Times* const times = get();
    if (times != nullptr && std::binary_search(times->begin(), times->end(), time)) return false;
    auto& changed = value_or_place<Times>();
    changed.insert(std::lower_bound(changed.begin(), changed.end(), time), time);
    return true;
  }
  /// False if the key has no such timer.
  bool remove(std::int64_t time) {
    const Times* const times = get();
    if (times == nullptr || !std::binary_search(times->begin(), times->end(), time)) return false;
    if (times->size() == 1) {
      clear_value<Times>();
    } else {
      auto& changed = value_or_place<Times>();
      changed.erase(std::lower_bound(changed.begin(), changed.end(), time));
    }
    return true;
  }
  bool contains(std::int64_t time) const {
    const Times* const times = get();
    return times != nullptr && std::binary_search(times->begin(), times->end(), time);
  }
  /// Null if the key has none. Valid until the next change of any state of the operator.
  const Times* get() const { return static_cast<const Times*>(value()); }

  void bind(KeyedTableBase& table, const std::string& key_type) {
    bind_value<Times>(table, "timers", key_type);
  }
};

}  // namespace streamrun
