#pragma once

#include <streamrun/connectors/kafka/kafka_sink_writer.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace streamrun {

/// Records into a topic of Kafka; Flink's KafkaSink. Records with the same key keep their order,
/// but for `none`, where what is sent a second time may come late.
///
/// Exactly-once works otherwise than Flink's: what was written since the last checkpoint waits in a
/// file of the job's folder (`taskowned`), and is sent in one transaction when the checkpoint is
/// complete. The transaction records its number under its id as a group's offset, so that a restart
/// learns from Kafka which of them are there. So no transaction is open while records are
/// collected, and none can time out with promised records in it; the price is that the records are
/// written to the disk first. It needs `state.checkpoints.dir`, a checkpoint interval or an input
/// that ends, and on secured clusters the right to write transactional ids and read groups with the
/// prefix.
template <typename Format = KafkaLine>
struct KafkaSink {
  /// `host:port`, several with commas: whom to ask for all others.
  std::string brokers;
  std::string topic;
  DeliveryGuarantee delivery_guarantee = DeliveryGuarantee::none;
  /// What the names of transactions and groups begin with; the job's id, operator,
  /// subtask and attempt follow, so that several runs and sinks may have the same one.
  std::string transactional_id_prefix = "streamrun";
  UnknownCommit on_unknown_commit = UnknownCommit::fail;
  /// Any property of librdkafka (`security.protocol`, `compression.type`, `linger.ms`, …).
  std::map<std::string, std::string> properties = {};
  /// How long no broker may answer before the attempt fails, as the restart strategy has it.
  Duration connection_timeout = std::chrono::seconds(30);
  Format format = {};
  std::shared_ptr<KafkaClient> client = librdkafka();

  template <typename T>
  requires KafkaRecordFormat<Format, T> std::unique_ptr<SinkWriter<T>> make_writer()
  const {
    KafkaTarget target{.settings = {.brokers = brokers,
                                    .properties = properties,
                                    .connection_timeout = connection_timeout},
                       .topic = topic,
                       .delivery_guarantee = delivery_guarantee,
                       .transactional_id_prefix = transactional_id_prefix,
                       .on_unknown_commit = on_unknown_commit};
    target.check();
    return std::make_unique<KafkaSinkWriter<T, Format>>(client, std::move(target), format);
  }
  std::string describe() const { return "topic " + topic + " of Kafka"; }
};

}  // namespace streamrun
