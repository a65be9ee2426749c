#pragma once

#include <streamrun/connectors/print/output_stream.h>
#include <streamrun/stream/operator_context.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Prints text in the background and in order: one write is under way at most, and what comes
/// meanwhile is gathered for the next one. So a line is not held back, a slow reader holds up no
/// worker, and a fast job needs few system calls. When nobody reads any more the job is asked to
/// stop, and what it still prints is dropped. Used by the thread that owns the task.
class LinePrinter {
 public:
  using Printed = std::function<void(Result<std::vector<std::string>>)>;

  explicit LinePrinter(OutputStream& output) : output_(output) {}

  void open(const OperatorContext& context) { context_ = &context; }
  /// False while a write is under way and as much as may be waits for the next.
  bool ready() const { return failure_ || !is_writing_ || gathered_.size() < kGatheredBytes; }
  /// Throws what an earlier write failed with.
  void throw_if_failed() const;
  /// Where the next whole lines are to be appended; `print` afterwards.
  std::string& buffer() { return gathered_; }
  void print();
  /// Calls `printed`, with nothing to commit, when everything so far has been written.
  void when_printed(Printed printed);

 private:
  static constexpr std::size_t kGatheredBytes = std::size_t{64} << 10U;

  void reader_has_left(const Error& error);
  void take_back(std::string text, std::vector<Printed> printed, Result<void> result);

  // Constant after `open`.
  OutputStream& output_;
  const OperatorContext* context_ = nullptr;

  // Owned by the task.
  std::string gathered_;
  std::string spare_;
  std::vector<Printed> waiting_;  // for what is gathered
  bool is_writing_ = false;
  bool reader_left_ = false;
  std::optional<Error> failure_;
};

}  // namespace streamrun
