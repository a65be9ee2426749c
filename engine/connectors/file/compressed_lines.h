#pragma once

#include <memory>
#include <string>

#include "decompressor.h"
#include "line_block.h"

namespace streamrun {

/// Cuts the text of a compressed file into blocks of whole lines, front to back. One thread at a
/// time; blocking.
class CompressedLines {
 public:
  /// Starts at the split's position, which means to decompress everything before it.
  static Result<std::unique_ptr<CompressedLines>> open(std::unique_ptr<ReadableFile> file,
                                                       const FileSplit& split,
                                                       const LineLimits& limits);

  /// The next lines, in `spare` if that is large enough.
  Result<LineBlock> next(TextBlock spare);

 private:
  CompressedLines(std::unique_ptr<Decompressor> text, FileSplit split, const LineLimits& limits);
  Result<void> skip(std::uint64_t count);
  /// Fills memory up to its capacity or the end of the text.
  Result<void> fill(LineBlock& block);

  const FileSplit split_;
  const LineLimits limits_;
  const std::unique_ptr<Decompressor> text_;
  std::string begun_line_;  // was read, but its end was not
  std::uint64_t position_ = 0;
};

}  // namespace streamrun
