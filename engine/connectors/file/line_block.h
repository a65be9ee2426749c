#pragma once

#include <streamrun/storage/file_system.h>
#include <streamrun/stream/batch.h>

#include <cstdint>
#include <optional>

#include "file_split.h"

namespace streamrun {

struct LineLimits {
  std::uint64_t block_bytes = 0;
  std::uint64_t max_line_bytes = 0;
};

/// Whole lines as they were read: `size` bytes of `memory` from `begin` on.
struct LineBlock {
  TextBlock memory;
  std::size_t begin = 0;
  std::size_t size = 0;
  /// Where reading goes on: every line that starts before it has been read.
  std::uint64_t next_position = 0;
  bool is_last = false;  ///< of its split
};

/// Reads the lines that start in [begin, end) of a file that is not compressed, into `spare`, which
/// grows if need be and is empty after a success; the line in which `begin` falls belongs to the
/// block before. Blocks need nothing from each other, so they can be read side by side. Blocking.
Result<LineBlock> read_lines(ReadableFile& file, const FileSplit& split, std::uint64_t begin,
                             std::uint64_t end, TextBlock& spare, const LineLimits& limits);

/// The same if it takes no waiting; else nothing, and so if anything is wrong: `read_lines` says
/// what. Does not block.
std::optional<LineBlock> read_lines_now(ReadableFile& file, const FileSplit& split,
                                        std::uint64_t begin, std::uint64_t end, TextBlock& spare,
                                        const LineLimits& limits);

/// The line at about `offset` of a file is longer than the limit.
Error line_too_long(const FileSplit& split, std::uint64_t offset, const LineLimits& limits);

/// Moves the first `used` bytes into memory of at least `capacity` bytes.
TextBlock grown(TextBlock block, std::size_t used, std::size_t capacity);

}  // namespace streamrun
