#pragma once

#include <streamrun/base/error.h>
#include <streamrun/time/timestamp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// One record of Kafka, or what else a partition had to say. Its bytes belong to the consumer and
/// are valid while the format looks at it.
struct KafkaMessage {
  enum class Kind : std::uint8_t {
    record,
    end,    ///< there is no record at `offset` yet: all before it were read
    error,  ///< this partition can't be read on from where it was
    down,   ///< of no partition: no broker can be reached; the client goes on trying
  };
  using Header = std::pair<std::string_view, std::optional<std::string_view>>;

  Kind kind = Kind::record;
  std::size_t number = 0;  ///< the partition's, as the consumer was told
  std::int64_t offset = 0;
  Timestamp timestamp = kMinTimestamp;  ///< of creation or of the append, as the topic has it
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};  ///< none: a tombstone
  /// In order, names may come again. Cut when asked for.
  std::vector<Header> headers() const {
    return read_headers ? read_headers(source) : std::vector<Header>{};
  }

  const Error* failure = nullptr;  ///< of an `error`
  const void* source = nullptr;
  std::vector<Header> (*read_headers)(const void* source) = nullptr;
};

}  // namespace streamrun
