#include <streamrun/base/strings.h>
#include <streamrun/connectors/kafka/kafka_selection.h>

#include <algorithm>
#include <regex>
#include <utility>

#include "kafka_enumerator.h"

namespace streamrun {
namespace {

bool has_negative(const KafkaOffsets& offsets) {
  return offsets.at < 0 || std::any_of(offsets.offsets.begin(), offsets.offsets.end(),
                                       [](const auto& each) { return each.second < 0; });
}

bool needs_group(const KafkaOffsets& offsets) {
  return offsets.kind == KafkaOffsets::Kind::committed;
}

}  // namespace

void refuse_kafka(std::string message, std::string where, std::string why) {
  throw_error({.code = ErrorCode::usage,
               .message = std::move(message),
               .where = std::move(where),
               .why = std::move(why),
               .retry = Retry::no});
}

void KafkaSelection::check() const {
  if (settings.brokers.empty())
    refuse_kafka("a source of Kafka needs the address of a broker", "brokers");
  if (topics.empty() == topic_pattern.empty()) {
    refuse_kafka("a source of Kafka needs either topics or a pattern of their names",
                 settings.brokers);
  }
  if (std::any_of(topics.begin(), topics.end(), [](const auto& name) { return name.empty(); }))
    refuse_kafka("the name of a topic is empty", settings.brokers);
  try {
    const std::regex pattern(topic_pattern);
  } catch (const std::regex_error& error) {
    refuse_kafka("the pattern of topics can't be read", topic_pattern, error.what());
  }
  const bool asks_group = needs_group(start_at) || (stop_at && needs_group(*stop_at));
  if (asks_group && settings.group_id.empty())
    refuse_kafka("committed offsets are those of a group: group_id is empty", text());
  if (stop_at && stop_at->kind == KafkaOffsets::Kind::earliest)
    refuse_kafka("a source that stops at the earliest offset reads nothing", text());
  if (has_negative(start_at) || (stop_at && has_negative(*stop_at)))
    refuse_kafka("offsets and times of a source of Kafka are not below 0", text());
  if (settings.connection_timeout <= Duration::zero())
    refuse_kafka("the connection time-out of a source of Kafka is above 0", text());
}

std::string KafkaSelection::text() const {
  const std::string what = topics.empty()
                               ? "topics like " + topic_pattern
                               : (topics.size() == 1 ? "topic " : "topics ") + join(topics, ", ");
  return what + " of " + settings.brokers;
}

std::unique_ptr<SplitEnumerator> make_kafka_enumerator(std::shared_ptr<KafkaClient> client,
                                                       KafkaSelection selection) {
  return std::make_unique<KafkaEnumerator>(std::move(client), std::move(selection));
}

Result<void> check_kafka_input(std::shared_ptr<KafkaClient> client, KafkaSelection selection,
                               const std::string& restored,
                               const std::vector<std::string>& unread) {
  return KafkaEnumerator(std::move(client), std::move(selection)).check_input(restored, unread);
}

}  // namespace streamrun
