#include <streamrun/base/bytes.h>
#include <streamrun/connectors/kafka/kafka_record.h>

namespace streamrun {
namespace {

constexpr std::uint8_t kHasKey = 1;
constexpr std::uint8_t kHasValue = 2;
constexpr std::uint8_t kHasTimestamp = 4;
constexpr std::uint8_t kHasPartition = 8;
constexpr std::uint8_t kHasHeaders = 16;
constexpr std::uint8_t kAll = kHasKey | kHasValue | kHasTimestamp | kHasPartition | kHasHeaders;
constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);

std::uint8_t parts_of(const KafkaRecord& record) {
  std::uint8_t parts = 0;
  if (record.has_key) parts |= kHasKey;
  if (record.has_value) parts |= kHasValue;
  if (record.timestamp) parts |= kHasTimestamp;
  if (record.partition != KafkaRecord::kAnyPartition) parts |= kHasPartition;
  if (!record.headers.empty()) parts |= kHasHeaders;
  return parts;
}

/// False if it is none.
bool read_record(std::string_view bytes, KafkaRecordView& record) {
  ByteReader in(bytes);
  const std::uint8_t parts = in.u8();
  if ((parts & kHasKey) != 0) record.key = in.text();
  if ((parts & kHasValue) != 0) record.value = in.text();
  if ((parts & kHasTimestamp) != 0) record.timestamp = in.i64();
  if ((parts & kHasPartition) != 0) record.partition = static_cast<std::int32_t>(in.u32());
  if ((parts & kHasHeaders) != 0) {
    for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
      const std::string_view name = in.text();
      record.headers.emplace_back(name, in.text());
    }
  }
  return in.done() && parts <= kAll;
}

}  // namespace

void KafkaRecord::clear() {
  key.clear();
  has_key = false;
  value.clear();
  has_value = true;
  timestamp.reset();
  partition = kAnyPartition;
  headers.clear();
}

void append_record(std::string& block, const KafkaRecord& record) {
  const std::size_t begin = block.size();
  ByteWriter out(block);
  out.u32(0);
  out.u8(parts_of(record));
  if (record.has_key) out.text(record.key);
  if (record.has_value) out.text(record.value);
  if (record.timestamp) out.i64(*record.timestamp);
  if (record.partition != KafkaRecord::kAnyPartition)
    out.u32(static_cast<std::uint32_t>(record.partition));
  if (!record.headers.empty()) {
    out.varint(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      out.text(name);
      out.text(value);
    }
  }
  const std::size_t length = block.size() - begin - kLengthBytes;
  put_u32(block.data() + begin, static_cast<std::uint32_t>(length));
}

Result<void> read_records(std::string_view bytes, std::vector<KafkaRecordView>& records,
                          std::size_t& used) {
  used = 0;
  while (bytes.size() - used >= kLengthBytes) {
    const std::uint32_t length = ByteReader(bytes.substr(used)).u32();
    if (bytes.size() - used - kLengthBytes < length) break;
    KafkaRecordView record;
    if (!read_record(bytes.substr(used + kLengthBytes, length), record)) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "what was prepared for Kafka is damaged",
                   .where = "byte " + std::to_string(used) + " of a block",
                   .retry = Retry::no};
    }
    records.push_back(std::move(record));
    used += kLengthBytes + length;
  }
  return {};
}

}  // namespace streamrun
