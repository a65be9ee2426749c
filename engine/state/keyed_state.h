#pragma once

#include <streamrun/state/aggregating_state.h>
#include <streamrun/state/keyed_state_handle.h>
#include <streamrun/state/list_state.h>
#include <streamrun/state/map_state.h>
#include <streamrun/state/reducing_state.h>
#include <streamrun/state/value_state.h>

#include <string>
#include <tuple>
#include <type_traits>

namespace streamrun {

template <typename S>
concept KeyedStateMember = std::is_base_of_v<KeyedStateHandleBase, S>;

/// Binds all states of a function: those that `states()` names (`return std::tie(count, last);`),
/// else those among its members if it is a plain struct. A function without state needs neither.
template <typename F>
void bind_states(F& function, KeyedTableBase& table, const std::string& key_type) {
  const auto bind_all = [&](auto&... member) {
    const auto bind_one = [&](auto& one) {
      if constexpr (KeyedStateMember<std::remove_cvref_t<decltype(one)>>) one.bind(table, key_type);
    };
    (bind_one(member), ...);
  };
  if constexpr (requires { function.states(); }) {
    std::apply(bind_all, function.states());
  } else if constexpr (PlainStruct<F>) {
    std::apply(bind_all, fields_of(function));
  }
}

}  // namespace streamrun
