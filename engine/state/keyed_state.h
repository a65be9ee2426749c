#pragma once

#include <streamrun/state/aggregating_state.h>
#include <streamrun/state/function_states.h>
#include <streamrun/state/keyed_state_handle.h>
#include <streamrun/state/list_state.h>
#include <streamrun/state/map_state.h>
#include <streamrun/state/reducing_state.h>
#include <streamrun/state/value_state.h>

#include <string>
#include <type_traits>

namespace streamrun {

template <typename S>
concept KeyedStateMember = std::is_base_of_v<KeyedStateHandleBase, S>;

/// Binds the keyed states of a function. One without needs none.
template <typename F>
void bind_states(F& function, KeyedTableBase& table, const std::string& key_type) {
  for_each_state_of(function, [&](auto& member) {
    if constexpr (KeyedStateMember<std::remove_cvref_t<decltype(member)>>)
      member.bind(table, key_type);
  });
}

}  // namespace streamrun
