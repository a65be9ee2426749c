#pragma once

#include <streamrun/stream/source.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compressed_lines.h"
#include "file_split.h"
#include "line_block.h"

namespace streamrun {

/// Reads splits block by block: what is in memory at once, the rest ahead of what it emits, on I/O
/// threads, while the last block is processed. Blocks are emitted in the order in which they were
/// asked for, one per `poll`; what was read but not emitted is read again after a restore.
class FileReader final : public SourceReader<std::string> {
 public:
  explicit FileReader(const LineLimits& limits) : limits_(limits) {}

  void open(const OperatorContext& context, std::function<void()> ask_for_split) override;
  void start() override { ask_for_splits(); }
  void add_split(const std::string& split) override;
  void no_more_splits() override { no_more_ = true; }
  SourceStatus poll(Output<std::string>& output) override;
  std::vector<std::string> snapshot() const override;
  std::uint64_t backlog_bytes() const override;

 private:
  /// What reading a split needs between two blocks. Shared with the reads that are under way: a
  /// plain file is read by several threads at once; the state of a decompressor goes with the one
  /// read that uses it.
  struct Source {
    std::shared_ptr<ReadableFile> file;
    std::unique_ptr<CompressedLines> lines;
    std::string change;  // of the file since it was found
  };
  struct Input {
    FileSplit split;
    Source source;
    std::uint64_t next_block = 0;  // where the next read of a plain file begins
    bool is_open = false;
    bool all_asked = false;  // its last block is being read or was
    int reads = 0;           // under way
  };
  struct BlockRead {
    Source source;
    LineBlock block;
  };
  struct Slot {
    Input* input = nullptr;
    std::uint64_t next_position = 0;
    std::optional<Result<BlockRead>> result;
  };

  static Result<BlockRead> read_block(const FileSystems& file_systems, const FileSplit& split,
                                      Source source, std::uint64_t begin, std::uint64_t end,
                                      TextBlock spare, const LineLimits& limits);

  void ask_for_splits();
  std::uint64_t bytes_not_asked() const;
  Input* next_to_read();
  void read_ahead();
  void read(Input& input);
  /// Reads a block of an open plain file if that takes no waiting.
  bool read_now(Input& input, std::uint64_t begin, std::uint64_t end);
  void finish_read(std::uint64_t number, Result<BlockRead> result);
  void note_change(const std::string& change);
  void advance(const Slot& slot, const LineBlock& block);
  void emit(LineBlock block, Output<std::string>& output);
  TextBlock take_spare();
  void keep_spare(TextBlock block);

  // Constant after `open`.
  const LineLimits limits_;
  const OperatorContext* context_ = nullptr;
  std::function<void()> ask_;

  // Owned by the task.
  std::deque<std::unique_ptr<Input>> inputs_;  // in order of arrival; read to the end in this order
  std::deque<Slot> slots_;                     // reads under way and blocks not emitted yet
  std::uint64_t first_slot_ = 0;               // number of slots_.front()
  std::vector<TextBlock> spares_;
  std::string last_change_;
  int asked_ = 0;
  bool last_was_small_ = false;
  bool reads_now_ = false;  ///< the last block of a plain file was in memory
  bool no_more_ = false;
};

}  // namespace streamrun
