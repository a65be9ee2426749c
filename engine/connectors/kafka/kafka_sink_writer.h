#pragma once

#include <streamrun/connectors/kafka/kafka_output.h>
#include <streamrun/connectors/kafka/kafka_record.h>
#include <streamrun/stream/sink.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Makes Kafka's records of ours; everything that does not depend on their type is in
/// `KafkaOutput`.
template <typename T, KafkaRecordFormat<T> Format>
class KafkaSinkWriter final : public SinkWriter<T> {
 public:
  KafkaSinkWriter(std::shared_ptr<KafkaClient> client, KafkaTarget target, Format format)
      : output_(std::move(client), std::move(target)), format_(std::move(format)) {}

  std::string committable_type() const override { return "kafka-committable:1"; }
  /// What comes before a number that was committed would be taken for committed.
  bool commits_in_order() const override { return true; }
  void set_restored_committables(const std::vector<std::string>& committables) override {
    output_.set_restored_committables(committables);
  }
  void open(const OperatorContext& context) override { output_.open(context); }
  bool ready() const override { return output_.ready(); }
  void write(const Batch<T>& batch) override {
    output_.throw_if_failed();
    for (RecordRef<T> record : batch) {
      record_.clear();
      format_.write(record, record_);
      std::string& buffer = output_.buffer();
      const std::size_t before = buffer.size();
      append_record(buffer, record_);
      output_.check_size(record_, buffer.size() - before);
      output_.hand_over_if_full();
    }
    output_.batch_written();
  }
  void prepare(CheckpointId, typename SinkWriter<T>::Prepared prepared) override {
    output_.prepare(std::move(prepared));
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return output_.commit(committables);
  }
  Result<void> remove_leftovers() override { return output_.remove_leftovers(); }

 private:
  KafkaOutput output_;
  Format format_;
  KafkaRecord record_;
};

}  // namespace streamrun
