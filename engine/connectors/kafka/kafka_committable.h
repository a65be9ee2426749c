#pragma once

#include <streamrun/connectors/file/part_name.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace streamrun {

/// Records that wait for their checkpoint, and where they belong.
struct KafkaCommittable {
  std::string transactional_id;  ///< of the subtask that wrote them
  std::int64_t number = 0;       ///< to be recorded with them; grows from one to the next of the id
  std::string topic;
  PartCommittable part;  ///< the file that holds them, under its hidden name

  bool operator==(const KafkaCommittable&) const = default;
};

std::string encode_kafka_committable(const KafkaCommittable& committable);
/// E-STATE-CORRUPT if the bytes are damaged.
Result<KafkaCommittable> decode_kafka_committable(std::string_view bytes);

}  // namespace streamrun
