#pragma once

#include <streamrun/stream/operator_context.h>
#include <streamrun/stream/output.h>
#include <streamrun/time/timestamp.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Flink's FLIP-27 in small: an enumerator finds splits, readers ask for them and read. The
/// enumerator lives in the JobMaster; a split travels as bytes that only its source understands.
/// What the enumerator hands out before a checkpoint is triggered is in a reader's state, what it
/// hands out later is still in its own: the mail of a reader is in order, so no split is lost and
/// none is there twice.

/// What one `poll` of a reader came to.
enum class SourceStatus {
  more,   ///< it emitted something and may have more at once
  idle,   ///< nothing now: a mail (a read that ends, a split, a timer) brings more
  ended,  ///< its splits are read and it was told that there are no more
};

/// Hears which records a reader emits of which split. Splits have the numbers 0, 1, … in the order
/// in which the reader got them. Owner's thread.
class SplitObserver {
 public:
  virtual ~SplitObserver() = default;
  virtual void split_added() = 0;
  /// `latest` is the greatest timestamp of some records that were emitted.
  virtual void records_emitted(std::size_t split, Timestamp latest) = 0;
  virtual void split_ended(std::size_t split) = 0;
};

/// Reads splits in one subtask. Calls come from the thread that owns the task; blocking reads go to
/// `context.environment.io` and come back through `context.post`.
template <typename T>
class SourceReader {
 public:
  virtual ~SourceReader() = default;
  /// `ask_for_split` may be called at any time from the owner's thread; the answer is `add_split`
  /// or `no_more_splits`.
  virtual void open(const OperatorContext& context, std::function<void()> ask_for_split) = 0;
  /// Before `open`. False if its records have no timestamps of their own: then nobody hears of
  /// them.
  virtual bool observe_splits(SplitObserver&) { return false; }
  /// The first call on the owner's thread.
  virtual void start() = 0;
  virtual void add_split(const std::string& split) = 0;
  virtual void no_more_splits() = 0;
  /// Emits at most about one batch.
  virtual SourceStatus poll(Output<T>& output) = 0;
  /// When it wants to be polled again although no mail came (a rate limit).
  virtual std::optional<Instant> next_deadline() const { return std::nullopt; }
  /// The splits not read to their end, with the positions up to which their records were emitted.
  virtual std::vector<std::string> snapshot() const = 0;
  /// What `snapshot` has just returned is part of that checkpoint.
  virtual void snapshot_taken(CheckpointId) {}
  /// The checkpoint is complete. Only for telling others: what is read never depends on it.
  virtual void notify_checkpoint_complete(CheckpointId) {}
  /// For the status line: records it knows to be waiting, or bytes; 0 when unknown.
  virtual std::uint64_t backlog_bytes() const { return 0; }
};

/// Finds splits. Calls come from the JobMaster's thread; blocking listings go to the I/O executor
/// and come back through `post`.
class SplitEnumerator {
 public:
  struct Context {
    Environment& environment;
    FileSystems& file_systems;
    std::string working_directory;
    int parallelism = 1;
    /// Runs `mail` on the JobMaster's thread.
    std::function<void(UniqueFunction<void()> mail)> post;
    /// Hands a split to a reader that asked.
    std::function<void(int subtask, std::string split)> assign;
    std::function<void(int subtask)> no_more_splits;
    /// The source can't go on: fails the attempt.
    std::function<void(Error)> fail;
  };

  virtual ~SplitEnumerator() = default;
  /// `restored` is what `snapshot` returned, empty for a fresh start; `unread` are the splits that
  /// readers had in their state, to be handed out first.
  virtual void start(Context context, const std::string& restored,
                     std::vector<std::string> unread) = 0;
  virtual void handle_request(int subtask) = 0;
  /// When `on_time` is to be called (to look for new files), if ever.
  virtual std::optional<Instant> next_deadline() const { return std::nullopt; }
  virtual void on_time() {}
  virtual std::string snapshot() const = 0;
  /// Whether it knows what there is to read; the job counts as running once all do.
  virtual bool has_found_input() const { return true; }
};

/// A source is a value that describes where records come from; it makes the parts that act.
/// `Bounded` says whether the input ends by itself.
template <typename S, typename T>
concept SourceOf = requires(const S& source) {
  { source.make_reader() } -> std::convertible_to<std::unique_ptr<SourceReader<T>>>;
  { source.make_enumerator() } -> std::convertible_to<std::unique_ptr<SplitEnumerator>>;
  { source.bounded() } -> std::convertible_to<bool>;
  { source.describe() } -> std::convertible_to<std::string>;
};

}  // namespace streamrun
