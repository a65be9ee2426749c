#pragma once

#include <streamrun/api/job_arguments.h>
#include <streamrun/connectors/kafka/kafka_source.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun::jobs {

/// What `kafka://host:port[,host:port]/topic[,topic]` names.
struct KafkaAddress {
  std::string brokers;
  std::vector<std::string> topics;
};

bool is_kafka(std::string_view text);
/// E-USAGE, with what the text should look like.
KafkaAddress parse_kafka_address(std::string_view text);

/// What `--kafka-property` says, about all topics of the job; E-USAGE if there is none.
std::map<std::string, std::string> kafka_properties(JobArguments& args, bool has_topics);

/// The records of topics that the arguments name as text: those that are there when the job first
/// starts, or, if it is to `watch`, without end. Declares what else there is to say about it.
/// Nothing if no input is a topic; E-USAGE if only some are, or if their brokers differ.
std::optional<KafkaSource<std::string>> kafka_input(JobArguments& args,
                                                    const std::vector<std::string>& inputs,
                                                    bool watch,
                                                    std::map<std::string, std::string> properties);

/// The same of records in another format, where an input must be a topic.
template <typename T, KafkaFormat<T> Format>
KafkaSource<T, Format> kafka_source(JobArguments& args, const std::vector<std::string>& inputs,
                                    bool watch, BadRecords bad_records,
                                    std::map<std::string, std::string> properties) {
  const auto found = kafka_input(args, inputs, watch, std::move(properties));
  if (!found && !args.is_listing() && !inputs.empty()) (void)parse_kafka_address(inputs.front());
  const KafkaSource<std::string> any = found.value_or(KafkaSource<std::string>{.brokers = {}});
  return {.brokers = any.brokers,
          .topics = any.topics,
          .stop_at = any.stop_at,
          .group_id = any.group_id,
          .properties = any.properties,
          .partition_discovery_interval = any.partition_discovery_interval,
          .bad_records = bad_records};
}

}  // namespace streamrun::jobs
