#pragma once

#include <streamrun/stream/block_writer.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Writes text into part files, in the background and in order, and commits them: a file sink
/// without the type of its records. Used by the thread that owns the task, except for `open`,
/// `commit` and `remove_leftovers`.
class PartWriter {
 public:
  using Prepared = BlockWriter::Prepared;

  explicit PartWriter(std::string folder) : folder_text_(std::move(folder)) {}

  void set_restored_committables(std::vector<std::string> committables) {
    restored_ = std::move(committables);
  }
  /// Creates the folder and those above it, and tries to write there. Blocking; throws.
  void open(const OperatorContext& context);

  /// Takes what goes into the parts.
  BlockWriter& blocks() { return blocks_; }
  const BlockWriter& blocks() const { return blocks_; }

  /// Ends the part. `prepared` gets at most one committable, after those of all earlier calls, once
  /// the part is durable under its hidden name.
  void prepare(Prepared prepared) { blocks_.prepare(std::move(prepared)); }
  Result<void> commit(const std::vector<std::string>& committables) const;
  Result<void> remove_leftovers() const;

 private:
  // Constant after `open`.
  const std::string folder_text_;
  const OperatorContext* context_ = nullptr;
  std::vector<std::string> restored_;

  BlockWriter blocks_;
};

}  // namespace streamrun
