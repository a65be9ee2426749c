#pragma once

#include <cstdint>

namespace streamrun {

/// What a Kafka sink promises over failures and restores; Flink's DeliveryGuarantee.
enum class DeliveryGuarantee : std::uint8_t {
  none,           ///< records may be lost, and may come twice
  at_least_once,  ///< none is lost, some may come twice
  exactly_once,   ///< a reader with `isolation.level=read_committed` finds each once
};

/// What to do about records of a restored checkpoint of which Kafka no longer knows whether they
/// were committed: it forgets an id that was not used for `offsets.retention.minutes` (7 days).
enum class UnknownCommit : std::uint8_t {
  fail,  ///< E-KAFKA-TXN-LOST
  send,  ///< send them: they may come twice
  drop,  ///< take them for committed: they may be lost
};

}  // namespace streamrun
