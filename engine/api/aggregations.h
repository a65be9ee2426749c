#pragma once

#include <streamrun/stream/batch.h>

#include <cstdint>
#include <utility>

namespace streamrun {

/// How many records of a key there were.
struct Counting {
  using Accumulator = std::int64_t;
  template <typename Ref>
  Accumulator create(const Ref&) const {
    return 1;
  }
  template <typename Ref>
  void add(Accumulator& count, const Ref&) const {
    ++count;
  }
};
inline Counting counting() {
  return {};
}

/// Flink's ReduceFunction.
template <typename T, typename F>
struct Reducing {
  using Accumulator = T;
  F function;
  Accumulator create(RecordRef<T> first) const { return T(first); }
  void add(Accumulator& so_far, RecordRef<T> record) const {
    so_far = function(std::move(so_far), record);
  }
};

}  // namespace streamrun
