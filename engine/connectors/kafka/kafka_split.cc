#include "kafka_split.h"

#include <streamrun/base/java_hash.h>

#include <limits>
#include <utility>

namespace streamrun {
namespace {

constexpr std::uint8_t kVersion = 1;

void write_partition(ByteWriter& out, const KafkaPartition& partition) {
  out.text(partition.topic);
  out.varint(static_cast<std::uint64_t>(partition.partition));
}
KafkaPartition read_partition(ByteReader& in) {
  KafkaPartition partition;
  partition.topic = in.text();
  const std::uint64_t number = in.varint();
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) in.fail();
  partition.partition = static_cast<std::int32_t>(number);
  return partition;
}
/// 0 for none, else one more than the offset.
void write_stop(ByteWriter& out, const std::optional<std::int64_t>& stop) {
  out.varint(stop ? static_cast<std::uint64_t>(*stop) + 1 : 0);
}
std::optional<std::int64_t> read_stop(ByteReader& in) {
  const std::uint64_t stop = in.varint();
  if (stop == 0) return std::nullopt;
  if (stop - 1 > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) in.fail();
  return static_cast<std::int64_t>(stop - 1);
}
Error damaged(const char* what) {
  return {.code = ErrorCode::state_corrupt,
          .message = std::string(what) + " is damaged, or of an unknown version",
          .retry = Retry::no};
}

}  // namespace

std::string encode_kafka_split(const KafkaSplit& split) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  write_partition(out, split.partition);
  out.i64(split.next);
  write_stop(out, split.stop);
  return bytes;
}

Result<KafkaSplit> decode_kafka_split(std::string_view bytes) {
  ByteReader in(bytes);
  KafkaSplit split;
  const std::uint8_t version = in.u8();
  split.partition = read_partition(in);
  split.next = in.i64();
  split.stop = read_stop(in);
  if (version == kVersion && in.done() && split.next >= 0) return split;
  return damaged("the position in a partition of Kafka");
}

std::string encode_kafka_enumerator(const KafkaEnumeratorState& state) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.u8(state.has_looked ? 1 : 0);
  out.u8(state.is_complete ? 1 : 0);
  out.varint(state.known.size());
  for (const auto& known : state.known) {
    write_partition(out, known.partition);
    write_stop(out, known.stop);
  }
  out.varint(state.unassigned.size());
  for (const KafkaSplit& split : state.unassigned) out.text(encode_kafka_split(split));
  return bytes;
}

Result<KafkaEnumeratorState> decode_kafka_enumerator(std::string_view bytes) {
  ByteReader in(bytes);
  KafkaEnumeratorState state;
  const std::uint8_t version = in.u8();
  state.has_looked = in.u8() != 0;
  state.is_complete = in.u8() != 0;
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    KafkaPartition partition = read_partition(in);
    state.known.push_back({.partition = std::move(partition), .stop = read_stop(in)});
  }
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::string_view split = in.text();
    if (!in.failed()) state.unassigned.push_back(SR_TRY(decode_kafka_split(split)));
  }
  if (version == kVersion && in.done()) return state;
  return damaged("the list of a source's partitions of Kafka");
}

int owner_of(const KafkaPartition& partition, int readers) {
  const auto count = static_cast<std::uint32_t>(readers);
  const std::uint32_t first = (java_hash(partition.topic) * 31 & 0x7fffffffU) % count;
  return static_cast<int>((first + static_cast<std::uint32_t>(partition.partition)) % count);
}

}  // namespace streamrun
