#pragma once

#include <streamrun/connectors/kafka/kafka_client.h>
#include <streamrun/stream/source.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// What a source of Kafka reads, whatever it makes of the records; see `KafkaSource`.
struct KafkaSelection {
  KafkaSettings settings;
  std::vector<std::string> topics = {};
  std::string topic_pattern = {};
  KafkaOffsets start_at = {};
  std::optional<KafkaOffsets> stop_at = {};
  Duration partition_discovery_interval{};

  /// Throws E-USAGE for what can't mean anything.
  void check() const;
  /// The topics, or the pattern, and the brokers, for messages.
  std::string text() const;
};

std::unique_ptr<SplitEnumerator> make_kafka_enumerator(std::shared_ptr<KafkaClient> client,
                                                       KafkaSelection selection);
/// Whether the brokers answer and have what a job that starts from there is to read. Blocks.
Result<void> check_kafka_input(std::shared_ptr<KafkaClient> client, KafkaSelection selection,
                               const std::string& restored, const std::vector<std::string>& unread);

/// Throws E-USAGE: what a source or a sink of Kafka was told can't be.
[[noreturn]] void refuse_kafka(std::string message, std::string where, std::string why = {});

}  // namespace streamrun
