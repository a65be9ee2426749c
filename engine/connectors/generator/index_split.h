#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// The end of a range that has none.
inline constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

/// The indices next, next + step, … below `end`: what is left of first, first + step, ….
struct IndexSplit {
  std::uint64_t first = 0;
  std::uint64_t step = 1;
  std::uint64_t next = 0;
  std::uint64_t end = kNoEnd;

  bool is_read() const { return next >= end; }
  void advance() { next = step < kNoEnd - next ? next + step : kNoEnd; }
  bool operator==(const IndexSplit&) const = default;
};

/// The same indices in so many splits, dealt out to them in turn.
std::vector<IndexSplit> deal_out(const IndexSplit& split, std::uint64_t parts);

std::string encode_index_split(const IndexSplit& split);
/// E-STATE-CORRUPT if the bytes are damaged.
Result<IndexSplit> decode_index_split(std::string_view bytes);

}  // namespace streamrun
