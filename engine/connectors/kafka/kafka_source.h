#pragma once

#include <streamrun/connectors/kafka/kafka_reader.h>
#include <streamrun/connectors/kafka/kafka_selection.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// The value of each record as a string of bytes; of one without a value an empty string.
struct KafkaValue {
  Result<void> read(const KafkaMessage& message, Output<std::string>& output) const {
    output.emit(message.value.value_or(std::string_view{}));
    return {};
  }
};

/// Records of Kafka topics, each once, at any parallelism and over restores, in order within a
/// partition; Flink's KafkaSource. Each partition is read by one subtask. Its offset is in every
/// checkpoint, and a restore goes on from there, whatever the group has committed.
///
/// Records of transactions that were aborted or are still open are not read, as librdkafka has it
/// (the property `isolation.level`).
template <typename T, KafkaFormat<T> Format = KafkaValue>
struct KafkaSource {
  using Record = T;
  /// Those of Kafka: of creation, or of the append, as the topic has it.
  static constexpr bool kHasTimestamps = true;

  /// `host:port`, several with commas: whom to ask for all others.
  std::string brokers;
  std::vector<std::string> topics = {};
  /// Instead of topics: those whose whole name matches this regular expression (ECMAScript's),
  /// also such as are made while the job runs.
  std::string topic_pattern = {};
  KafkaOffsets start_at = KafkaOffsets::earliest();
  /// Makes the source bounded. Like `start_at` it is resolved when the job starts, and holds from
  /// the first checkpoint on.
  std::optional<KafkaOffsets> stop_at = std::nullopt;
  /// Whose committed offsets `committed` means, and for whom offsets are committed when a
  /// checkpoint is complete, for others to see: a restore never asks for them. It must have no
  /// members.
  std::string group_id = {};
  /// Any property of librdkafka (`security.protocol`, `sasl.mechanisms`, `fetch.min.bytes`, …).
  std::map<std::string, std::string> properties = {};
  /// How often an endless source looks for new partitions, which it reads from their beginning; 0:
  /// only when it starts.
  Duration partition_discovery_interval = std::chrono::minutes(5);
  /// How long no broker may answer before the attempt fails, as the restart strategy has it.
  Duration connection_timeout = std::chrono::seconds(30);
  Format format = {};
  BadRecords bad_records = BadRecords::fail;
  std::shared_ptr<KafkaClient> client = librdkafka();

  std::unique_ptr<SourceReader<T>> make_reader() const {
    return std::make_unique<KafkaReader<T, Format>>(client, checked().settings, format,
                                                    bad_records);
  }
  std::unique_ptr<SplitEnumerator> make_enumerator() const {
    return make_kafka_enumerator(client, checked());
  }
  bool bounded() const { return stop_at.has_value(); }
  /// See `StreamNode::check_input`.
  Result<void> check_input(const FileSystems&, const std::string&, const std::string& restored,
                           const std::vector<std::string>& unread) const {
    return check_kafka_input(client, checked(), restored, unread);
  }
  std::string describe() const {
    return (bounded() ? "records of Kafka, " : "endless records of Kafka, ") + selection().text();
  }

  KafkaSelection selection() const {
    return {.settings = {.brokers = brokers,
                         .group_id = group_id,
                         .properties = properties,
                         .connection_timeout = connection_timeout},
            .topics = topics,
            .topic_pattern = topic_pattern,
            .start_at = start_at,
            .stop_at = stop_at,
            .partition_discovery_interval = partition_discovery_interval};
  }
  KafkaSelection checked() const {
    KafkaSelection selection = this->selection();
    selection.check();
    return selection;
  }
};

}  // namespace streamrun
