#pragma once

#include <streamrun/base/result.h>
#include <streamrun/connectors/kafka/kafka_message.h>
#include <streamrun/connectors/kafka/kafka_offsets.h>
#include <streamrun/connectors/kafka/kafka_record.h>
#include <streamrun/platform/clock.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// Who to talk to, and how.
struct KafkaSettings {
  /// `host:port`, several with commas.
  std::string brokers;
  std::string group_id = {};  ///< whose committed offsets are asked for, and kept up to date
  /// Any property of librdkafka.
  std::map<std::string, std::string> properties = {};
  /// How long no broker may answer.
  Duration connection_timeout = std::chrono::seconds(30);
};

/// What a source asks of the brokers. Calls block, at most for about the time they are given, and
/// come from one thread at a time. A broker that can't be reached is E-UNAVAILABLE.
class KafkaAdmin {
 public:
  virtual ~KafkaAdmin() = default;
  /// The partitions of those topics, in order; E-PATH if one does not exist.
  virtual Result<std::vector<KafkaPartition>> partitions_of(const std::vector<std::string>& topics,
                                                            Duration time) = 0;
  /// Names of all topics that are not Kafka's own.
  virtual Result<std::vector<std::string>> topics(Duration time) = 0;
  /// Offsets of the first record that is there, and of the one that would come next.
  struct Range {
    std::int64_t earliest = 0;
    std::int64_t latest = 0;
  };
  virtual Result<Range> range_of(const KafkaPartition& partition, Duration time) = 0;
  /// Of the first record at that time or later; nothing if there is none.
  virtual Result<std::optional<std::int64_t>> offset_at(const KafkaPartition& partition,
                                                        Timestamp at, Duration time) = 0;
  /// What the group has committed, if anything.
  virtual Result<std::optional<std::int64_t>> committed(const KafkaPartition& partition,
                                                        Duration time) = 0;
  /// Commits offsets for the group, which must have no members.
  virtual Result<void> commit(const std::map<KafkaPartition, std::int64_t>& offsets,
                              Duration time) = 0;
};

/// Reads partitions. Calls come from the thread that owns the reader and wait for no broker.
class KafkaConsumer {
 public:
  virtual ~KafkaConsumer() = default;
  /// Reads the partition from that offset; its messages carry `number`.
  virtual void add(std::size_t number, const KafkaPartition& partition, std::int64_t offset) = 0;
  /// No message of that partition is wanted any more; some may still come.
  virtual void stop(std::size_t number) = 0;
  /// What has arrived, at most `limit` messages, in order within a partition; they are valid until
  /// the next call. After it has returned nothing, `woken` is called once there is more.
  virtual const std::vector<KafkaMessage>& poll(std::size_t limit) = 0;
  /// A function that waits, for at most about that time, until a broker answers; E-UNAVAILABLE if
  /// none did. To be called on any thread, also when the consumer is gone.
  virtual std::function<Result<void>(Duration time)> make_probe() = 0;
};

/// Writes records to one topic. Calls block, and come from one thread at a time. The records of one
/// partition stay in order. After an error it must not be used again.
class KafkaProducer {
 public:
  virtual ~KafkaProducer() = default;
  /// Copies them; waits while the client holds as many as it may. What failed before may show here.
  virtual Result<void> send(const std::vector<KafkaRecordView>& records) = 0;
  /// Waits until the brokers have acknowledged all of them; E-UNAVAILABLE if for the connection
  /// time-out none was.
  virtual Result<void> flush() = 0;
};

/// Writes records to one topic in transactions of one transactional id. As `KafkaProducer`; one
/// that is destroyed leaves its open transaction to whoever takes the id over.
///
/// With each transaction a number is recorded, under the id as the name of a group, by the very
/// commit: so it can be asked for later whether a transaction was committed, whatever became of
/// the one who sent it.
class KafkaTransactions {
 public:
  virtual ~KafkaTransactions() = default;
  /// Takes the id: whoever had it can't commit any more, what it left open is aborted, and what it
  /// was committing is committed on return. Before anything else.
  virtual Result<void> take_over(Duration time) = 0;
  /// The number that the last commit recorded, if there was one that Kafka remembers.
  virtual Result<std::optional<std::int64_t>> recorded(Duration time) = 0;
  /// No broker hears of it before there is something to send: one who was fenced is not told here.
  virtual Result<void> begin() = 0;
  virtual Result<void> send(const std::vector<KafkaRecordView>& records) = 0;
  /// After an error: ends the transaction if that can be done in that time, so that readers need
  /// not wait for it. Nothing else may be called afterwards.
  virtual void abort(Duration time) = 0;
  /// All that was sent since `begin`, and the number, or nothing of it. An error leaves open which.
  virtual Result<void> commit(std::int64_t number, Duration time) = 0;
};

/// The way to Kafka: librdkafka, or a model of it. Thread-safe.
class KafkaClient {
 public:
  virtual ~KafkaClient() = default;
  /// E-USAGE if a property is unknown or its value is refused.
  virtual Result<std::unique_ptr<KafkaAdmin>> make_admin(const KafkaSettings& settings) = 0;
  /// `woken` is called on any thread.
  virtual Result<std::unique_ptr<KafkaConsumer>> make_consumer(const KafkaSettings& settings,
                                                               std::function<void()> woken) = 0;
  virtual Result<std::unique_ptr<KafkaProducer>> make_producer(const KafkaSettings& settings,
                                                               const std::string& topic) = 0;
  virtual Result<std::unique_ptr<KafkaTransactions>> make_transactions(
      const KafkaSettings& settings, const std::string& topic, const std::string& id) = 0;
};

/// The one that every source and sink has unless it is given another.
std::shared_ptr<KafkaClient> librdkafka();

}  // namespace streamrun
