#include "line_block.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "input_file.h"

namespace streamrun {
namespace {

/// Read beyond a block's end at once, to find there the end of its last line.
constexpr std::uint64_t kTailBytes = 4096;

/// A piece of a file in memory: from `first` up to `end()`.
class FileWindow {
 public:
  FileWindow(ReadableFile& file, const FileSplit& split, std::uint64_t first, TextBlock& memory)
      : file_(file), split_(split), first_(first), memory_(memory) {}

  std::uint64_t end() const { return first_ + filled_; }
  /// Reads on up to `new_end`.
  Result<void> extend(std::uint64_t new_end) {
    const std::size_t wanted = new_end - first_;
    memory_ = grown(std::move(memory_), filled_, wanted);
    const std::size_t count =
        SR_TRY(file_.read_at(end(), memory_.bytes.get() + filled_, wanted - filled_));
    filled_ += count;
    if (filled_ < wanted) return input_is_shorter(split_, end());
    return {};
  }
  /// Where the line after the first newline at or after `from` starts; `end() + 1` if there is no
  /// newline.
  std::uint64_t line_after(std::uint64_t from) const {
    if (from >= end()) return end() + 1;
    const char* const at = memory_.bytes.get() + (from - first_);
    const void* const newline = std::memchr(at, '\n', end() - from);
    if (newline == nullptr) return end() + 1;
    return from + static_cast<std::uint64_t>(static_cast<const char*>(newline) - at) + 1;
  }

 private:
  ReadableFile& file_;
  const FileSplit& split_;
  const std::uint64_t first_;
  TextBlock& memory_;
  std::size_t filled_ = 0;
};

/// A file of which only that is there which can be read without waiting.
class FileNow final : public ReadableFile {
 public:
  explicit FileNow(ReadableFile& file) : file_(file) {}
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    if (file_.read_now(offset, into, length)) return length;
    return Error{.code = ErrorCode::cancelled, .message = "reading would take waiting"};
  }
  std::uint64_t size() const override { return file_.size(); }

 private:
  ReadableFile& file_;
};

/// Where the last line that starts before `end` ends; reads on as far as needed.
Result<std::uint64_t> find_last_end(FileWindow& window, const FileSplit& split, std::uint64_t end,
                                    const LineLimits& limits) {
  std::uint64_t searched = end - 1;
  while (true) {
    const std::uint64_t found = window.line_after(searched);
    if (found <= window.end()) return found;
    if (window.end() == split.file_size) return split.file_size;
    searched = window.end();
    const std::uint64_t beyond = searched - end;
    if (beyond > limits.max_line_bytes) return line_too_long(split, end, limits);
    const std::uint64_t step = std::max(beyond, kTailBytes);
    SR_TRY(window.extend(searched + std::min(step, split.file_size - searched)));
  }
}

}  // namespace

TextBlock grown(TextBlock block, std::size_t used, std::size_t capacity) {
  if (block.capacity >= capacity) return block;
  TextBlock larger = TextBlock::of_capacity(capacity);
  if (used > 0) std::memcpy(larger.bytes.get(), block.bytes.get(), used);
  return larger;
}

Error line_too_long(const FileSplit& split, std::uint64_t offset, const LineLimits& limits) {
  return {.code = ErrorCode::store_io,
          .message = "a line of the input is longer than " + human_bytes(limits.max_line_bytes),
          .where = split.path + ", near offset " + std::to_string(offset),
          .retry = Retry::no};
}

Result<LineBlock> read_lines(ReadableFile& file, const FileSplit& split, std::uint64_t begin,
                             std::uint64_t end, TextBlock& spare, const LineLimits& limits) {
  // The byte before `begin` tells whether a line starts there.
  const std::uint64_t first = begin == 0 ? 0 : begin - 1;
  FileWindow window(file, split, first, spare);
  SR_TRY(window.extend(end + std::min(kTailBytes, split.file_size - end)));
  LineBlock block;
  block.next_position = end;
  block.is_last = end == split.end;
  const std::uint64_t start = begin == 0 ? 0 : window.line_after(first);
  if (start < end) {
    const std::uint64_t last_end = SR_TRY(find_last_end(window, split, end, limits));
    block.begin = start - first;
    block.size = last_end - start;
  }
  block.memory = std::exchange(spare, {});
  return block;
}

std::optional<LineBlock> read_lines_now(ReadableFile& file, const FileSplit& split,
                                        std::uint64_t begin, std::uint64_t end, TextBlock& spare,
                                        const LineLimits& limits) {
  FileNow now(file);
  Result<LineBlock> block = read_lines(now, split, begin, end, spare, limits);
  if (!block) return std::nullopt;
  return *std::move(block);
}

}  // namespace streamrun
