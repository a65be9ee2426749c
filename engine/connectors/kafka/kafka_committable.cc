#include "kafka_committable.h"

#include <streamrun/base/bytes.h>

namespace streamrun {
namespace {

constexpr std::uint8_t kCommittableVersion = 1;

}  // namespace

std::string encode_kafka_committable(const KafkaCommittable& committable) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kCommittableVersion);
  out.text(committable.transactional_id);
  out.i64(committable.number);
  out.text(committable.topic);
  out.text(encode_committable(committable.part));
  return bytes;
}

Result<KafkaCommittable> decode_kafka_committable(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  KafkaCommittable committable;
  committable.transactional_id = in.text();
  committable.number = in.i64();
  committable.topic = in.text();
  const std::string_view part = in.text();
  const bool is_whole = version == kCommittableVersion && in.done() && committable.number > 0 &&
                        !committable.transactional_id.empty() && !committable.topic.empty();
  if (!is_whole) {
    return Error{.code = ErrorCode::state_corrupt,
                 .message =
                     "the record of what was prepared for Kafka is damaged, or of an unknown "
                     "version",
                 .where = "version " + std::to_string(version),
                 .retry = Retry::no};
  }
  committable.part = SR_TRY(decode_committable(part));
  return committable;
}

}  // namespace streamrun
