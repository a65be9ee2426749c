#pragma once

#include <streamrun/connectors/kafka/kafka_source.h>
#include <streamrun/formats/json_decoder.h>

#include <utility>

namespace streamrun {

/// The value of each record as one object of JSON; T names its fields.
template <NamedStruct T>
class KafkaJson {
 public:
  KafkaJson() = default;
  KafkaJson(const KafkaJson&) {}  // a parser is of one reader
  KafkaJson& operator=(const KafkaJson&) { return *this; }

  Result<void> read(const KafkaMessage& message, Output<T>& output) {
    if (!message.value) {
      return Error{.code = ErrorCode::job_failed,
                   .message = "the record has no value, where JSON was expected",
                   .retry = Retry::no};
    }
    SR_TRY(decoder_.decode(*message.value, record_));
    output.emit(std::as_const(record_));
    return {};
  }

 private:
  JsonDecoder<T> decoder_;
  T record_;
};

}  // namespace streamrun
