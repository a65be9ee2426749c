#include "compressed_lines.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace streamrun {

CompressedLines::CompressedLines(std::unique_ptr<Decompressor> text, FileSplit split,
                                 const LineLimits& limits)
    : split_(std::move(split)), limits_(limits), text_(std::move(text)) {}

Result<std::unique_ptr<CompressedLines>> CompressedLines::open(std::unique_ptr<ReadableFile> file,
                                                               const FileSplit& split,
                                                               const LineLimits& limits) {
  std::unique_ptr<CompressedLines> lines(
      new CompressedLines(make_decompressor(std::move(file), split), split, limits));
  SR_TRY(lines->skip(split.position));
  return lines;
}

Result<void> CompressedLines::skip(std::uint64_t count) {
  std::string ignored(std::min<std::uint64_t>(count, std::uint64_t{256} << 10U), '\0');
  while (position_ < count) {
    const std::size_t wanted = std::min<std::uint64_t>(ignored.size(), count - position_);
    const std::size_t skipped = SR_TRY(text_->read(ignored.data(), wanted));
    if (skipped == 0) {
      return Error{.code = ErrorCode::source_lost,
                   .message = "the text of the input file has only " + std::to_string(position_) +
                              " bytes; it was read up to " + std::to_string(count),
                   .where = split_.path,
                   .retry = Retry::no};
    }
    position_ += skipped;
  }
  return {};
}

Result<void> CompressedLines::fill(LineBlock& block) {
  while (block.size < block.memory.capacity && !block.is_last) {
    const std::size_t count = SR_TRY(
        text_->read(block.memory.bytes.get() + block.size, block.memory.capacity - block.size));
    block.size += count;
    block.is_last = count == 0;
  }
  return {};
}

Result<LineBlock> CompressedLines::next(TextBlock spare) {
  LineBlock block;
  block.memory = grown(std::move(spare), 0,
                       std::max<std::size_t>(limits_.block_bytes, begun_line_.size() + 1));
  std::memcpy(block.memory.bytes.get(), begun_line_.data(), begun_line_.size());
  block.size = std::exchange(begun_line_, std::string()).size();
  while (true) {
    const std::size_t searched = block.size;
    SR_TRY(fill(block));
    if (block.is_last) break;
    const std::string_view text(block.memory.bytes.get(), block.size);
    const std::size_t newline = text.rfind('\n');
    if (newline != std::string_view::npos) {
      begun_line_ = text.substr(newline + 1);
      block.size = newline + 1;
      break;
    }
    if (searched > limits_.max_line_bytes) return line_too_long(split_, position_, limits_);
    block.memory = grown(std::move(block.memory), block.size, block.memory.capacity * 2);
  }
  position_ += block.size;
  block.next_position = position_;
  return block;
}

}  // namespace streamrun
