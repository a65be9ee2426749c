#pragma once

#include <streamrun/api/job_arguments.h>
#include <streamrun/connectors/kafka/kafka_sink.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun::jobs {

/// What the arguments say about a topic to write to.
struct KafkaOutputAddress {
  std::string brokers;
  std::string topic;
  DeliveryGuarantee delivery_guarantee = DeliveryGuarantee::exactly_once;
  UnknownCommit on_unknown_commit = UnknownCommit::fail;
  std::string transactional_id_prefix;
};

/// Declares what there is to say about it. Nothing if the output is not `kafka://…`; E-USAGE if it
/// is not one topic, or one of the inputs.
std::optional<KafkaOutputAddress> kafka_output(JobArguments& args,
                                               const std::optional<std::string>& output,
                                               const std::vector<std::string>& inputs);

template <typename Format>
KafkaSink<Format> kafka_sink(const KafkaOutputAddress& address,
                             const std::map<std::string, std::string>& properties, Format format) {
  return {.brokers = address.brokers,
          .topic = address.topic,
          .delivery_guarantee = address.delivery_guarantee,
          .transactional_id_prefix = address.transactional_id_prefix,
          .on_unknown_commit = address.on_unknown_commit,
          .properties = properties,
          .format = std::move(format)};
}

}  // namespace streamrun::jobs
