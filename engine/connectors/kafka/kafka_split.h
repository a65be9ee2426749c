#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/base/result.h>
#include <streamrun/connectors/kafka/kafka_offsets.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// The records of a partition from `next` on, those before `stop` if there is one.
struct KafkaSplit {
  KafkaPartition partition;
  std::int64_t next = 0;
  std::optional<std::int64_t> stop = {};

  bool is_read() const { return stop && next >= *stop; }
  bool operator==(const KafkaSplit&) const = default;
};

std::string encode_kafka_split(const KafkaSplit& split);
/// E-STATE-CORRUPT if the bytes are damaged.
Result<KafkaSplit> decode_kafka_split(std::string_view bytes);

/// What a source has to say of its partitions in a checkpoint.
struct KafkaEnumeratorState {
  struct Known {
    KafkaPartition partition;
    std::optional<std::int64_t> stop = {};
    bool operator==(const Known&) const = default;
  };
  /// Partitions were looked for, whether or not there were any: later ones are new.
  bool has_looked = false;
  /// It was bounded and knows all that it is to read.
  bool is_complete = false;
  std::vector<Known> known = {};
  std::vector<KafkaSplit> unassigned = {};

  bool operator==(const KafkaEnumeratorState&) const = default;
};

std::string encode_kafka_enumerator(const KafkaEnumeratorState& state);
Result<KafkaEnumeratorState> decode_kafka_enumerator(std::string_view bytes);

/// Which of `readers` subtasks reads it: Flink's rule, by which partitions of one topic go round
/// from a subtask that depends on its name.
int owner_of(const KafkaPartition& partition, int readers);

}  // namespace streamrun
