#pragma once

#include <streamrun/stream/operator_context.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Where a sink's bytes go. Blocking; moves between threads, one at a time. After an error it must
/// not be used again.
class BlockStream {
 public:
  virtual ~BlockStream() = default;
  virtual Result<void> append(std::string_view block) = 0;
  /// What was appended since the last call is safe on return. What names it, to be committed; empty
  /// if there is nothing to commit.
  virtual Result<std::vector<std::string>> finish() = 0;
};

/// Hands blocks of bytes to a `BlockStream` in the background and in order. Used by the thread that
/// owns the task.
///
/// What is to be done waits in a queue; one I/O job at a time takes all of it, together with the
/// stream, and brings the stream back by mail. So the stream has one owner at any time, and what
/// was queued first is written first.
class BlockWriter {
 public:
  using Prepared = std::function<void(Result<std::vector<std::string>>)>;

  /// From then on it may be written. Called once.
  void open(const OperatorContext& context, std::unique_ptr<BlockStream> stream);

  /// False while as many blocks as may be wait to be written.
  bool ready() const { return failure_ || blocks_in_flight_ < kBlocksInFlight; }
  /// Throws what an earlier write failed with: its records are lost to this attempt.
  void throw_if_failed() const;
  /// Where the next whole records are to be appended.
  std::string& buffer() { return buffer_; }
  void hand_over_if_full() {
    if (buffer_.size() >= kBlockBytes) hand_over();
  }
  /// For streams that should not wait: what there is goes now, unless something is under way, which
  /// gives more the time to come.
  void hand_over_if_idle() {
    if (!buffer_.empty() && is_idle()) hand_over();
  }

  /// `prepared` gets what `finish` of the stream returned, after those of all earlier calls; if
  /// nothing was written since the last one, nothing.
  void prepare(Prepared prepared);

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
  static constexpr std::size_t kBlocksInFlight = 4;

  /// A block to be written, or an end.
  struct Step {
    std::string block;
    Prepared end;
  };
  /// What one I/O job works on and brings back.
  struct Work {
    std::unique_ptr<BlockStream> stream;
    std::vector<Step> steps;
    std::vector<Result<std::vector<std::string>>> ends;  // one of each end
    std::optional<Error> failure;
  };

  static void perform(Work& work);
  bool is_idle() const { return stream_ != nullptr && queue_.empty(); }
  void hand_over();
  void submit_if_idle();
  void take_back(Work work);

  const OperatorContext* context_ = nullptr;
  std::string buffer_;
  std::vector<Step> queue_;
  std::unique_ptr<BlockStream> stream_;  // null while an I/O job has it
  bool has_unfinished_ = false;
  std::size_t blocks_in_flight_ = 0;
  std::vector<std::string> free_buffers_;
  std::optional<Error> failure_;
};

}  // namespace streamrun
