#pragma once

#include <streamrun/platform/random.h>

#include <cstdint>
#include <string>
#include <vector>

#include "golden/golden_case.h"

namespace streamrun::test {

/// A kind of bytes that snapshots are made of, and where a golden one has them.
struct FlippedKind {
  struct Range {
    std::string file;  ///< in the case's folder
    std::uint64_t first = 0;
    std::uint64_t length = 0;
  };
  std::string what;
  GoldenCase golden;
  std::vector<Range> ranges;  ///< at least one
};

/// Metadata, state, compressed state, increments, records in flight, prepared output.
std::vector<FlippedKind> flipped_kinds();

/// One byte that becomes another.
struct Flip {
  std::string file;  ///< in the case's folder
  std::uint64_t at = 0;
  std::uint8_t changed_bits = 0;  ///< not 0

  std::string text() const;
};
Flip some_flip(const FlippedKind& kind, Random& random);

}  // namespace streamrun::test
