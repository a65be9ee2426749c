#include "kafka_output.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "kafka_input.h"

namespace streamrun::jobs {
namespace {

template <typename T, std::size_t N>
T choice(const std::string& argument, const std::string& given,
         const std::array<std::pair<std::string_view, T>, N>& known) {
  std::string names;
  for (const auto& [name, value] : known) {
    if (name == given) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  refuse_kafka("--" + argument + " is one of " + names, shortened(given));
}

constexpr std::array<std::pair<std::string_view, DeliveryGuarantee>, 3> kDelivery = {{
    {"none", DeliveryGuarantee::none},
    {"at-least-once", DeliveryGuarantee::at_least_once},
    {"exactly-once", DeliveryGuarantee::exactly_once},
}};
constexpr std::array<std::pair<std::string_view, UnknownCommit>, 3> kUnknown = {{
    {"fail", UnknownCommit::fail},
    {"send", UnknownCommit::send},
    {"drop", UnknownCommit::drop},
}};

}  // namespace

std::optional<KafkaOutputAddress> kafka_output(JobArguments& args,
                                               const std::optional<std::string>& output,
                                               const std::vector<std::string>& inputs) {
  const std::string delivery = args.text(
      "delivery", "of rows to a topic: none, at-least-once or exactly-once", "exactly-once");
  const std::string prefix = args.text(
      "transactional-id-prefix", "what exactly-once's transactions are called first", "streamrun");
  const std::string unknown = args.text(
      "on-unknown-commit",
      "rows of which Kafka has forgotten whether it has them: fail, send or drop", "fail");
  // `kafka:/…` would be a folder of that name.
  if (!output || !output->starts_with("kafka:")) return std::nullopt;
  KafkaAddress address = parse_kafka_address(*output);
  if (address.topics.size() != 1) {
    refuse_kafka("rows go to one topic, kafka://HOST:PORT[,HOST:PORT]/TOPIC", *output);
  }
  for (const std::string& input : inputs) {
    if (!is_kafka(input)) continue;
    const KafkaAddress read = parse_kafka_address(input);
    const bool is_read = std::count(read.topics.begin(), read.topics.end(), address.topics[0]) > 0;
    if (is_read && read.brokers == address.brokers) {
      refuse_kafka("the job would read what it writes", *output);
    }
  }
  return KafkaOutputAddress{.brokers = std::move(address.brokers),
                            .topic = std::move(address.topics.front()),
                            .delivery_guarantee = choice("delivery", delivery, kDelivery),
                            .on_unknown_commit = choice("on-unknown-commit", unknown, kUnknown),
                            .transactional_id_prefix = prefix};
}

}  // namespace streamrun::jobs
