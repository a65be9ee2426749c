#pragma once

#include <streamrun/types/fields.h>

#include <tuple>
#include <type_traits>

namespace streamrun {

/// A function that says which of its members are state: `return std::tie(count, last);`.
template <typename F>
concept NamesStates = requires(F& function) {
  function.states();
};

/// Calls `use` with each member of a function that may be state: those that `states()` names, else,
/// of a plain struct, all of them.
template <typename F, typename Use>
void for_each_state_of(F& function, Use&& use) {
  const auto use_all = [&](auto&... member) { (use(member), ...); };
  if constexpr (NamesStates<F>) {
    std::apply(use_all, function.states());
  } else if constexpr (PlainStruct<F>) {
    std::apply(use_all, fields_of(function));
  }
}

}  // namespace streamrun
