#pragma once

#include <streamrun/state/operator_state.h>
#include <streamrun/stream/output.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

namespace streamrun::test {

// [README]
// flat_map(Bundle(), {.uid = "bundles"})
struct Bundle {
  SplitListState<std::int64_t> waiting{"waiting"};
  auto states() { return std::tie(waiting); }

  void operator()(std::int64_t number, Output<std::string>& output) {
    waiting.add(number);
    if (waiting.get().size() < 3) return;
    std::string line;
    for (const std::int64_t each : waiting.get()) line += std::to_string(each) + " ";
    waiting.clear();
    output.emit(line);
  }
};
// [README]

}  // namespace streamrun::test
