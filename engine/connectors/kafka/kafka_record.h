#pragma once

#include <streamrun/base/result.h>
#include <streamrun/connectors/file/line_format.h>
#include <streamrun/time/timestamp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// One record on its way to Kafka, for a format to fill; Flink's ProducerRecord. It is empty when
/// the format gets it, and used again, so that it costs no memory of its own.
struct KafkaRecord {
  static constexpr std::int32_t kAnyPartition = -1;

  std::string key = {};
  bool has_key = false;
  std::string value = {};
  bool has_value = true;  ///< else it is a tombstone
  /// By default the moment it is sent.
  std::optional<Timestamp> timestamp = {};
  /// By default as Kafka's own clients choose: by the key, records without one anywhere.
  std::int32_t partition = kAnyPartition;
  std::vector<std::pair<std::string, std::string>> headers = {};

  void clear();
};

/// How a record of type T becomes one of Kafka: `write` fills it. Each writer has a copy.
template <typename Format, typename T>
concept KafkaRecordFormat = std::copy_constructible<Format> &&
    requires(Format& format, RecordRef<T> record, KafkaRecord& out) {
  format.write(record, out);
};

/// The line of each record as its value, without a key.
struct KafkaLine {
  template <LineWritable T>
  void write(const T& record, KafkaRecord& out) const {
    LineFormat<T>::append(out.value, record);
  }
  void write(std::string_view record, KafkaRecord& out) const { out.value = record; }
};

/// A record as it lies in a block.
struct KafkaRecordView {
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};
  std::optional<Timestamp> timestamp = {};
  std::int32_t partition = KafkaRecord::kAnyPartition;
  std::vector<std::pair<std::string_view, std::string_view>> headers = {};
};

/// Appends the record to a block: its length, then its parts.
void append_record(std::string& block, const KafkaRecord& record);

/// The whole records at the beginning of `bytes`, which they are views of; `used` becomes how many
/// bytes they take. E-STATE-CORRUPT if there are bytes that no record has.
Result<void> read_records(std::string_view bytes, std::vector<KafkaRecordView>& records,
                          std::size_t& used);

}  // namespace streamrun
