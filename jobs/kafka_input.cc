#include "kafka_input.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <utility>

namespace streamrun::jobs {
namespace {

constexpr std::string_view kScheme = "kafka://";

}  // namespace

bool is_kafka(std::string_view text) {
  return text.substr(0, kScheme.size()) == kScheme;
}

KafkaAddress parse_kafka_address(std::string_view text) {
  const std::string_view rest = is_kafka(text) ? text.substr(kScheme.size()) : std::string_view{};
  const std::size_t slash = rest.find('/');
  KafkaAddress address;
  if (slash != std::string_view::npos) {
    address.brokers = rest.substr(0, slash);
    address.topics = split(rest.substr(slash + 1), ',');
  }
  const auto is_bad = [](const std::string& topic) {
    return topic.empty() || topic.find('/') != std::string::npos;
  };
  if (address.brokers.empty() || address.topics.empty() ||
      std::any_of(address.topics.begin(), address.topics.end(), is_bad)) {
    refuse_kafka("topics are written kafka://HOST:PORT[,HOST:PORT]/TOPIC[,TOPIC]",
                 std::string(text));
  }
  return address;
}

std::map<std::string, std::string> kafka_properties(JobArguments& args, bool has_topics) {
  const auto texts = args.texts(
      "kafka-property", "NAME=VALUE of librdkafka, as security.protocol=SSL; may be repeated");
  if (!texts.empty() && !has_topics)
    refuse_kafka("--kafka-property is about topics, and the job has none", {});
  std::map<std::string, std::string> properties;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      refuse_kafka("--kafka-property takes NAME=VALUE", shortened(text));
    properties[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return properties;
}

std::optional<KafkaSource<std::string>> kafka_input(JobArguments& args,
                                                    const std::vector<std::string>& inputs,
                                                    bool watch,
                                                    std::map<std::string, std::string> properties) {
  const Duration discovery = args.duration(
      "partition-discovery", "how often --watch looks for new partitions of a topic", "5 min");
  const std::string group =
      args.text("group-id", "group for which offsets are committed, for others to see", "");
  if (std::none_of(inputs.begin(), inputs.end(), is_kafka)) return std::nullopt;

  KafkaSource<std::string> source{.brokers = {},
                                  .group_id = group,
                                  .properties = std::move(properties),
                                  .partition_discovery_interval = discovery};
  if (!watch) source.stop_at = KafkaOffsets::latest();
  for (const std::string& input : inputs) {
    if (!is_kafka(input)) refuse_kafka("files and topics can't be read by one job", input);
    KafkaAddress address = parse_kafka_address(input);
    if (!source.brokers.empty() && source.brokers != address.brokers)
      refuse_kafka("topics of several clusters can't be read by one job", input);
    source.brokers = address.brokers;
    source.topics.insert(source.topics.end(), address.topics.begin(), address.topics.end());
  }
  return source;
}

}  // namespace streamrun::jobs
