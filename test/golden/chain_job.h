#pragma once

#include <streamrun/state/keyed_state.h>

#include <cstdint>
#include <string>
#include <tuple>

namespace streamrun::golden {

/// What the job `chain` has of each of its keys, and the program that writes its snapshot.
struct ChainStates {
  ValueState<std::int64_t> count{"count"};
  ValueState<std::string> note{"note"};

  auto states() { return std::tie(count, note); }
};

constexpr std::int64_t kChainKeys = 120;
inline std::string chain_key(std::int64_t number) {
  return (number % 3 == 0 ? "a key too long for its slot " : "k") + std::to_string(number);
}

/// What the job says of a key; null for what it has not.
inline std::string chain_line(const std::string& key, const std::int64_t* count,
                              const std::string* note) {
  return key + " | " + (count != nullptr ? std::to_string(*count) : "none") + " | " +
         (note != nullptr ? *note : "none");
}

}  // namespace streamrun::golden
