#pragma once

#include <streamrun/stream/batch.h>
#include <streamrun/stream/operator_context.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Writes records in one subtask, in two phases: what was written up to a barrier is *prepared* and
/// named by committables, which become part of the snapshot; it is *committed* when the snapshot is
/// complete. Calls come from the thread that owns the task, except `open`, `commit` and
/// `remove_leftovers`, which run on I/O threads and may block.
template <typename T>
class SinkWriter {
 public:
  using Prepared = std::function<void(Result<std::vector<std::string>>)>;

  virtual ~SinkWriter() = default;
  /// Version and type of the committables, as a snapshot records them.
  virtual std::string committable_type() const { return "committable:1"; }
  /// Whether what one subtask prepared has to be committed by one, in its order, at any
  /// parallelism; never changes. Such a writer hears of each committable once.
  virtual bool commits_in_order() const { return false; }
  /// Before `open`: what the restored snapshot had prepared and this subtask is to commit.
  virtual void set_restored_committables(const std::vector<std::string>&) {}
  /// Checks that it can write. Blocking. Throws.
  virtual void open(const OperatorContext& context) = 0;
  /// False while its buffers are full: no batch comes until a mail, or the time, changes that.
  virtual bool ready() const = 0;
  /// When it will be ready though no mail comes (a rate limit).
  virtual std::optional<Instant> ready_at() const { return std::nullopt; }
  virtual void write(const Batch<T>& batch) = 0;
  /// Ends what was written so far and makes it durable under names that readers ignore; `prepared`
  /// is called, on the owner's thread, when every byte is acknowledged. Writing may go on
  /// meanwhile. Answers come in the order of the calls, and after one that failed all fail: what it
  /// was about is lost, so no later snapshot may be complete.
  virtual void prepare(CheckpointId id, Prepared prepared) = 0;
  /// Makes the committables visible, in their order, each exactly once however often it is called.
  /// Blocking; one call at a time.
  virtual Result<void> commit(const std::vector<std::string>& committables) = 0;
  /// Removes what dead attempts of this job have left, except what retained snapshots name
  /// (`context.retained_committables`). Blocking; after the recovered commits of all subtasks.
  virtual Result<void> remove_leftovers() { return {}; }
};

/// A sink is a value that describes where records go; it makes the writer that acts.
template <typename S, typename T>
concept SinkOf = requires(const S& sink) {
  { sink.template make_writer<T>() } -> std::convertible_to<std::unique_ptr<SinkWriter<T>>>;
  { sink.describe() } -> std::convertible_to<std::string>;
};

}  // namespace streamrun
