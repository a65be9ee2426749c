#pragma once

#include <streamrun/stream/operator_context.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

class PartStream;

/// Writes text into part files, in the background and in order, and commits them: a file sink
/// without the type of its records. Used by the thread that owns the task, except for `open`,
/// `commit` and `remove_leftovers`.
///
/// What is to be done waits in a queue; one I/O job at a time takes all of it, together with the
/// open file, and brings the file back by mail. So the file has one owner at any time, and what was
/// queued first is written first.
class PartWriter {
 public:
  using Prepared = std::function<void(Result<std::vector<std::string>>)>;

  explicit PartWriter(std::string folder);
  ~PartWriter();

  void set_restored_committables(std::vector<std::string> committables);
  /// Creates the folder and those above it, and tries to write there. Blocking; throws.
  void open(const OperatorContext& context);

  /// False while as many buffers as may be wait to be written.
  bool ready() const { return failure_ || buffers_in_flight_ < kBuffersInFlight; }
  /// Throws what an earlier write failed with: its records are lost to this attempt.
  void throw_if_failed() const;
  /// Where the next whole lines are to be appended.
  std::string& buffer() { return buffer_; }
  void hand_over_if_full() {
    if (buffer_.size() >= kBufferBytes) hand_over();
  }

  /// Ends the part. `prepared` gets at most one committable, after those of all earlier calls, once
  /// the part is durable under its hidden name.
  void prepare(Prepared prepared);
  Result<void> commit(const std::vector<std::string>& committables) const;
  Result<void> remove_leftovers() const;

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;
  static constexpr std::size_t kBuffersInFlight = 4;

  /// Text to be written, or the end of a part.
  struct Step {
    std::string text;
    Prepared end_of_part;
  };
  /// What one I/O job works on and brings back.
  struct Work {
    std::unique_ptr<PartStream> stream;
    std::vector<Step> steps;
    std::vector<Result<std::vector<std::string>>> ends;  // one of each end of a part
    std::optional<Error> failure;
  };

  static void perform(Work& work);
  void hand_over();
  void submit_if_idle();
  void take_back(Work work);

  // Constant after `open`.
  const std::string folder_text_;
  const OperatorContext* context_ = nullptr;
  std::string folder_;
  std::vector<std::string> restored_;

  // Owned by the task.
  std::string buffer_;
  std::vector<Step> queue_;
  std::unique_ptr<PartStream> stream_;  // null while an I/O job has it
  bool part_has_text_ = false;
  std::size_t buffers_in_flight_ = 0;
  std::vector<std::string> free_buffers_;
  std::optional<Error> failure_;
};

}  // namespace streamrun
