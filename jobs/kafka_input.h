#pragma once

#include <streamrun/api/job_arguments.h>
#include <streamrun/connectors/kafka/kafka_source.h>

#include <optional>
#include <string>
#include <string_view>
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

/// The records of topics that the arguments name as text: those that are there when the job first
/// starts, or, if it is to `watch`, without end. Declares what else there is to say about it.
/// Nothing if no input is a topic; E-USAGE if only some are, or if their brokers differ.
std::optional<KafkaSource<std::string>> kafka_input(JobArguments& args,
                                                    const std::vector<std::string>& inputs,
                                                    bool watch);

}  // namespace streamrun::jobs
