#pragma once

#include <cstddef>
#include <vector>

#include "sim/memory_nodes.h"

namespace streamrun::sim {

/// Goes through every combination of choices, in runs that all begin the same: do { run with
/// `chooser()` } while (`next()`).
class Odometer {
 public:
  Choose chooser() {
    at_ = 0;
    return [this](std::size_t possibilities) { return choose(possibilities); };
  }
  /// False when all were had.
  bool next() {
    while (!wheels_.empty() && ++wheels_.back().chosen == wheels_.back().possibilities) {
      wheels_.pop_back();
    }
    return !wheels_.empty();
  }

 private:
  struct Wheel {
    std::size_t chosen = 0;
    std::size_t possibilities = 1;
  };
  std::size_t choose(std::size_t possibilities) {
    if (at_ == wheels_.size()) wheels_.push_back({0, possibilities});
    return wheels_[at_++].chosen;
  }
  std::vector<Wheel> wheels_;
  std::size_t at_ = 0;
};

}  // namespace streamrun::sim
