#pragma once

#include <streamrun/connectors/kafka/kafka_client.h>
#include <streamrun/stream/source.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// How a record of Kafka becomes records of type T: `read(message, output)` emits none, one or
/// several, or returns why it can't.
template <typename F, typename T>
concept KafkaFormat = requires(F& format, const KafkaMessage& message, Output<T>& output) {
  { format.read(message, output) } -> std::same_as<Result<void>>;
};

/// What becomes of a job that meets a record which its format can't read.
enum class BadRecords : std::uint8_t {
  fail,  ///< the job ends, and names partition and offset
  skip,  ///< they are left out; the first is told, and each whose number is a power of ten
};

/// Where a reader is in its partitions; all of it but the records themselves.
class KafkaPositions {
 public:
  void open(const OperatorContext& context, const std::shared_ptr<KafkaClient>& client,
            KafkaSettings settings);
  void add_split(const std::string& bytes);
  void observe(SplitObserver& observer) { observer_ = &observer; }
  bool is_empty() const { return left_ == 0; }
  std::optional<Instant> next_deadline() const { return probe_at_; }
  /// The next messages; those of partitions that are read do not count, see `takes`.
  const std::vector<KafkaMessage>& poll();
  /// Whether the message is a record that is to be emitted; takes note of what is not. Throws what
  /// ends the attempt.
  bool takes(const KafkaMessage& message) {
    if (message.kind != KafkaMessage::Kind::record) [[unlikely]] {
      handle(message);
      return false;
    }
    Reading& reading = readings_[message.number];
    if (message.offset < reading.next || message.offset >= reading.stop)
      return pass(reading, message.offset);
    reading.next = message.offset + 1;
    return true;
  }
  /// To be called after each `poll`, with all of it taken.
  void end_what_is_read();
  void skip(const KafkaMessage& message, const Error& error);
  [[noreturn]] void fail_at(const KafkaMessage& message, Error error) const;

  std::vector<std::string> snapshot() const;
  void snapshot_taken(CheckpointId id);
  /// Tells the group, for others to see, how far the checkpoint is.
  void notify_checkpoint_complete(CheckpointId id);

 private:
  using Offsets = std::map<KafkaPartition, std::int64_t>;

  struct Reading {
    KafkaPartition partition;
    std::int64_t next = 0;
    std::int64_t stop = 0;  ///< the highest number for none
    bool has_ended = false;
  };
  /// A record that is not wanted: one behind the stop says that all before it were there.
  static bool pass(Reading& reading, std::int64_t offset) {
    reading.next = std::max(reading.next, std::min(offset, reading.stop));
    return false;
  }
  void handle(const KafkaMessage& message);
  void probe();
  void commit_if_idle();

  const OperatorContext* context_ = nullptr;
  KafkaSettings settings_;
  std::unique_ptr<KafkaConsumer> consumer_;
  std::vector<Reading> readings_;
  std::size_t left_ = 0;  ///< that have not ended
  bool has_stops_ = false;
  SplitObserver* observer_ = nullptr;
  std::uint64_t skipped_ = 0;
  bool probing_ = false;  ///< no broker could be reached, and it is seen whether one answers
  std::optional<Instant> probe_at_;
  Instant give_up_at_{};
  std::shared_ptr<KafkaClient> client_;
  std::map<CheckpointId, Offsets> taken_;  ///< of checkpoints not known to be complete
  Offsets to_commit_;                      ///< empty: nothing new
  std::shared_ptr<KafkaAdmin> group_;      ///< made when it is first needed
  bool committing_ = false;                ///< an I/O job has `group_`
  bool told_of_failure_ = false;
  std::optional<Error> failure_;
  std::shared_ptr<const bool> alive_ =
      std::make_shared<const bool>(true);  ///< for mail that comes too late
};

template <typename T, typename Format>
class KafkaReader final : public SourceReader<T> {
 public:
  KafkaReader(std::shared_ptr<KafkaClient> client, KafkaSettings settings, Format format,
              BadRecords bad_records)
      : client_(std::move(client)),
        settings_(std::move(settings)),
        bad_records_(bad_records),
        format_(std::move(format)) {}

  void open(const OperatorContext& context, std::function<void()> ask_for_split) override {
    ask_ = std::move(ask_for_split);
    positions_.open(context, client_, settings_);
  }
  bool observe_splits(SplitObserver& observer) override {
    observer_ = &observer;
    positions_.observe(observer);
    return true;
  }
  void start() override { ask_(); }
  void add_split(const std::string& split) override { positions_.add_split(split); }
  void no_more_splits() override { no_more_ = true; }

  SourceStatus poll(Output<T>& output) override {
    const std::vector<KafkaMessage>& messages = positions_.poll();
    for (const KafkaMessage& message : messages) {
      if (!positions_.takes(message)) continue;
      if (observer_ != nullptr) observe(message);
      Result<void> read = format_.read(message, output);
      if (read) [[likely]]
        continue;
      if (bad_records_ == BadRecords::fail) positions_.fail_at(message, std::move(read).error());
      positions_.skip(message, read.error());
    }
    output.flush();
    if (observer_ != nullptr) tell_observer();
    positions_.end_what_is_read();
    if (positions_.is_empty() && no_more_) return SourceStatus::ended;
    return messages.empty() ? SourceStatus::idle : SourceStatus::more;
  }

  std::optional<Instant> next_deadline() const override { return positions_.next_deadline(); }
  std::vector<std::string> snapshot() const override { return positions_.snapshot(); }
  void snapshot_taken(CheckpointId id) override { positions_.snapshot_taken(id); }
  void notify_checkpoint_complete(CheckpointId id) override {
    positions_.notify_checkpoint_complete(id);
  }

 private:
  /// Records come in runs of one partition.
  void observe(const KafkaMessage& message) {
    if (message.number != observed_) {
      tell_observer();
      observed_ = message.number;
    }
    latest_ = std::max(latest_, message.timestamp);
  }
  void tell_observer() {
    if (latest_ != kMinTimestamp)
      observer_->records_emitted(observed_, std::exchange(latest_, kMinTimestamp));
  }

  // Constant after `open`.
  const std::shared_ptr<KafkaClient> client_;
  const KafkaSettings settings_;
  const BadRecords bad_records_;
  std::function<void()> ask_;
  SplitObserver* observer_ = nullptr;

  // Owned by the task.
  std::size_t observed_ = 0;
  Timestamp latest_ = kMinTimestamp;  ///< of records of `observed_`
  Format format_;
  KafkaPositions positions_;
  bool no_more_ = false;
};

}  // namespace streamrun
