#pragma once

#include <cstddef>
#include <cstdint>

namespace streamrun {

/// What keeps incremental snapshots within bounds.
struct ChainLimits {
  /// Below it all is written each time: more files cost more than more bytes.
  std::uint64_t small_bytes = std::uint64_t{1} << 20U;
  /// A full snapshot is cut into so many pieces, so that they leave the chain one by one.
  std::size_t full_pieces = 64;
  std::uint64_t least_piece_bytes = std::uint64_t{1} << 20U;
  /// Kept rows, live and outdated, by live ones.
  double kept = 1.9;
  std::size_t most_pieces = 180;
  /// Of pieces that lie in the metadata, together: each snapshot writes them again.
  std::uint64_t inline_bytes = std::uint64_t{64} << 10U;
  /// Of the live rows: if more would be written, all are.
  double most_written = 0.25;
};

}  // namespace streamrun
