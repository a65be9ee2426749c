#include "file_reader.h"

#include <algorithm>
#include <utility>

#include "input_file.h"

namespace streamrun {
namespace {

/// Blocks that are being read or wait to be emitted. One is enough while the file is in memory: it
/// is read where it is used, without another thread, and stays in the caches.
constexpr std::size_t kBlocksAhead = 2;
/// Splits asked for ahead when they are so small that asking takes longer than reading. Larger ones
/// are asked for one at a time, so that they spread evenly over the readers.
constexpr int kSmallSplitsAhead = 4;

}  // namespace

void FileReader::open(const OperatorContext& context, std::function<void()> ask_for_split) {
  context_ = &context;
  ask_ = std::move(ask_for_split);
}

void FileReader::add_split(const std::string& split) {
  asked_ = std::max(asked_ - 1, 0);
  auto input = std::make_unique<Input>();
  input->split = value_or_throw(decode_split(split));
  input->next_block = input->split.position;
  last_was_small_ = input->split.end - input->split.offset < limits_.block_bytes;
  const FileSplit& added = input->split;
  // A snapshot never holds a split that was read to its end, but bytes from outside are not to be
  // relied on.
  if (added.compression != Compression::none || added.position < added.end)
    inputs_.push_back(std::move(input));
  read_ahead();
  ask_for_splits();
}

void FileReader::ask_for_splits() {
  if (no_more_ || bytes_not_asked() >= kBlocksAhead * limits_.block_bytes) return;
  const auto not_begun = std::count_if(inputs_.begin(), inputs_.end(), [](const auto& input) {
    return !input->is_open && input->reads == 0;
  });
  const int wanted = last_was_small_ ? kSmallSplitsAhead : 1;
  for (int missing = wanted - asked_ - static_cast<int>(not_begun); missing > 0; --missing) {
    ++asked_;
    ask_();
  }
}

std::uint64_t FileReader::bytes_not_asked() const {
  std::uint64_t bytes = 0;
  for (const auto& input : inputs_) {
    const FileSplit& split = input->split;
    if (input->all_asked) continue;
    if (split.compression == Compression::none) {
      bytes += split.end - input->next_block;
    } else if (split.file_size >= limits_.block_bytes) {
      return UINT64_MAX;  // how much text there is shows at its end
    }
  }
  return bytes;
}

FileReader::Input* FileReader::next_to_read() {
  for (const auto& input : inputs_) {
    if (input->all_asked) continue;
    const bool one_by_one = !input->is_open || input->split.compression != Compression::none;
    return one_by_one && input->reads > 0 ? nullptr : input.get();
  }
  return nullptr;
}

void FileReader::read_ahead() {
  while (slots_.size() < (reads_now_ ? 1 : kBlocksAhead)) {
    Input* const input = next_to_read();
    if (input == nullptr) return;
    read(*input);
  }
}

void FileReader::read(Input& input) {
  const FileSplit& split = input.split;
  const std::uint64_t begin = input.next_block;
  std::uint64_t end = split.end;
  Source source;
  if (split.compression == Compression::none) {
    // Blocks end at multiples of their size, wherever the first one began.
    const std::uint64_t step = limits_.block_bytes - begin % limits_.block_bytes;
    end = begin + std::min(step, split.end - begin);
    input.next_block = end;
    input.all_asked = end == split.end;
    source.file = input.source.file;
    if (read_now(input, begin, end)) return;
  } else {
    source.lines = std::move(input.source.lines);
  }
  ++input.reads;
  const std::uint64_t number = first_slot_ + slots_.size();
  slots_.push_back({.input = &input, .next_position = end, .result = std::nullopt});
  context_->environment.io.submit(
      [this, number, split, begin, end, limits = limits_, source = std::move(source),
       spare = take_spare(), stores = &context_->file_systems, post = context_->post]() mutable {
        // The reader may be gone while this runs; the mail then does nothing, so only the mail uses
        // `this`.
        post([this, number,
              result = read_block(*stores, split, std::move(source), begin, end, std::move(spare),
                                  limits)]() mutable { finish_read(number, std::move(result)); });
      });
}

bool FileReader::read_now(Input& input, std::uint64_t begin, std::uint64_t end) {
  reads_now_ = false;
  if (input.source.file == nullptr) return false;
  TextBlock spare = take_spare();
  std::optional<LineBlock> block =
      read_lines_now(*input.source.file, input.split, begin, end, spare, limits_);
  if (!block) {
    keep_spare(std::move(spare));
    return false;
  }
  reads_now_ = true;
  const std::uint64_t next_position = block->next_position;
  BlockRead read{.source = {}, .block = *std::move(block)};
  slots_.push_back({.input = &input, .next_position = next_position, .result = std::move(read)});
  return true;
}

Result<FileReader::BlockRead> FileReader::read_block(const FileSystems& file_systems,
                                                     const FileSplit& split, Source source,
                                                     std::uint64_t begin, std::uint64_t end,
                                                     TextBlock spare, const LineLimits& limits) {
  const bool is_compressed = split.compression != Compression::none;
  if (is_compressed ? !source.lines : !source.file) {
    InputFile input = SR_TRY(open_input(file_systems, split));
    source.change = std::move(input.change);
    if (is_compressed) {
      source.lines = SR_TRY(CompressedLines::open(std::move(input.file), split, limits));
    } else {
      source.file = std::move(input.file);
    }
  }
  LineBlock block =
      SR_TRY(is_compressed ? source.lines->next(std::move(spare))
                           : read_lines(*source.file, split, begin, end, spare, limits));
  return BlockRead{.source = std::move(source), .block = std::move(block)};
}

void FileReader::finish_read(std::uint64_t number, Result<BlockRead> result) {
  Slot& slot = slots_[number - first_slot_];
  Input& input = *slot.input;
  --input.reads;
  if (result) {
    note_change(result->source.change);
    input.is_open = true;
    input.source.file = std::move(result->source.file);
    input.source.lines = std::move(result->source.lines);
    if (result->block.is_last) input.all_asked = true;
    slot.next_position = result->block.next_position;
  } else {
    input.all_asked = true;  // the error is thrown when its turn comes
  }
  slot.result = std::move(result);
  read_ahead();
  ask_for_splits();
}

void FileReader::note_change(const std::string& change) {
  if (change.empty() || change == last_change_) return;
  last_change_ = change;
  context_->environment.log.warning("source " + context_->name + ": " + change);
}

SourceStatus FileReader::poll(Output<std::string>& output) {
  while (!slots_.empty() && slots_.front().result) {
    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    ++first_slot_;
    LineBlock block = std::move(value_or_throw(*std::move(slot.result)).block);
    advance(slot, block);
    read_ahead();
    ask_for_splits();
    if (block.size == 0) {
      keep_spare(std::move(block.memory));
      continue;
    }
    emit(std::move(block), output);
    return SourceStatus::more;
  }
  return no_more_ && inputs_.empty() ? SourceStatus::ended : SourceStatus::idle;
}

void FileReader::advance(const Slot& slot, const LineBlock& block) {
  slot.input->split.position = slot.next_position;
  if (!block.is_last) return;
  SR_ASSERT(inputs_.front().get() == slot.input, "splits are read to their ends in order");
  inputs_.pop_front();
}

void FileReader::emit(LineBlock block, Output<std::string>& output) {
  output.flush();
  keep_spare(output.batch().take_block());
  output.batch().adopt_lines(std::move(block.memory), block.size, block.begin);
  output.flush();
  keep_spare(output.batch().take_block());
}

TextBlock FileReader::take_spare() {
  if (spares_.empty()) return {};
  TextBlock block = std::move(spares_.back());
  spares_.pop_back();
  return block;
}

void FileReader::keep_spare(TextBlock block) {
  // One that a very long line has made large is not kept.
  const bool is_usual = block.bytes != nullptr && block.capacity <= 4 * limits_.block_bytes;
  if (is_usual && spares_.size() < kBlocksAhead) spares_.push_back(std::move(block));
}

std::vector<std::string> FileReader::snapshot() const {
  std::vector<std::string> splits;
  for (const auto& input : inputs_) splits.push_back(encode_split(input->split));
  return splits;
}

std::uint64_t FileReader::backlog_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& input : inputs_) {
    const FileSplit& split = input->split;
    if (split.compression == Compression::none) bytes += split.end - split.position;
  }
  return bytes;
}

}  // namespace streamrun
