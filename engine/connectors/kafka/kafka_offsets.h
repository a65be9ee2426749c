#pragma once

#include <streamrun/time/timestamp.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace streamrun {

/// A partition of a topic.
struct KafkaPartition {
  std::string topic;
  std::int32_t partition = 0;

  bool operator==(const KafkaPartition&) const = default;
  auto operator<=>(const KafkaPartition&) const = default;
  /// `topic-3`, as Kafka's own tools write it.
  std::string text() const { return topic + "-" + std::to_string(partition); }
};

/// Where to begin or to stop in each partition; Flink's OffsetsInitializer. A value: what it means
/// is asked of the brokers when the job starts.
struct KafkaOffsets {
  enum class Kind : std::uint8_t { earliest, latest, committed, timestamp, given };

  Kind kind = Kind::earliest;
  /// For `committed`: without a committed offset earliest or latest; else (`committed`) the job
  /// fails.
  Kind without = Kind::committed;
  Timestamp at = 0;
  std::map<KafkaPartition, std::int64_t> offsets = {};

  static KafkaOffsets earliest() { return {}; }
  /// Behind the last record that is there when the job starts.
  static KafkaOffsets latest() { return {.kind = Kind::latest}; }
  /// What the group had committed.
  static KafkaOffsets committed(Kind without_one = Kind::committed) {
    return {.kind = Kind::committed, .without = without_one};
  }
  /// The first record that is not older, by the time that the record has in Kafka; without one,
  /// latest.
  static KafkaOffsets timestamp(Timestamp at) { return {.kind = Kind::timestamp, .at = at}; }
  /// Partitions that are not named begin at the earliest record, and stop at the latest.
  static KafkaOffsets given(std::map<KafkaPartition, std::int64_t> offsets) {
    return {.kind = Kind::given, .offsets = std::move(offsets)};
  }
};

}  // namespace streamrun
