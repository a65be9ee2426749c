#include "kafka_input.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "kafka_output.h"

namespace streamrun::jobs {
namespace {

using Texts = std::vector<std::string>;

std::string refusal_of(const Texts& inputs, const JobArguments::Values& values = {}) {
  try {
    JobArguments args(values, "/");
    const bool has_topics = std::any_of(inputs.begin(), inputs.end(), is_kafka);
    (void)kafka_input(args, inputs, false, kafka_properties(args, has_topics));
  } catch (const ErrorException& error) {
    return error.error().headline();
  }
  return "none";
}

TEST_CASE("kafka input: an address names brokers and topics", "[jobs]") {
  const KafkaAddress address = parse_kafka_address("kafka://a:9092,b:9093/words,lines");
  CHECK(address.brokers == "a:9092,b:9093");
  CHECK((address.topics == Texts{"words", "lines"}));
  for (const char* text : {"kafka://", "kafka://a:1", "kafka://a:1/", "kafka:///t",
                           "kafka://a:1/t,", "kafka://a:1/t/u"}) {
    CHECK(refusal_of({text}) ==
          "E-USAGE: topics are written kafka://HOST:PORT[,HOST:PORT]/TOPIC[,TOPIC] (" +
              std::string(text) + ")");
  }
}

TEST_CASE("kafka input: what the arguments say", "[jobs]") {
  const JobArguments::Values values = {{"partition-discovery", "2 s"},
                                       {"kafka-property", "security.protocol=SSL"},
                                       {"kafka-property", "client.rack=a=b"}};
  const auto input_of = [&](const Texts& inputs, bool watch) {
    JobArguments args(values, "/");
    return kafka_input(args, inputs, watch, kafka_properties(args, true));
  };
  const auto endless = input_of({"kafka://a:1/words", "kafka://a:1/lines"}, true);
  REQUIRE(endless);
  CHECK(!endless->bounded());
  CHECK(endless->brokers == "a:1");
  CHECK((endless->topics == Texts{"words", "lines"}));
  CHECK(endless->partition_discovery_interval == std::chrono::seconds(2));
  CHECK((endless->properties ==
         std::map<std::string, std::string>{{"security.protocol", "SSL"}, {"client.rack", "a=b"}}));
  CHECK(input_of({"kafka://a:1/words"}, false)->bounded());
}

TEST_CASE("kafka input: what does not go together is refused", "[jobs]") {
  CHECK(refusal_of({"kafka://a:1/words", "/texts"}) ==
        "E-USAGE: files and topics can't be read by one job (/texts)");
  CHECK(refusal_of({"kafka://a:1/words", "kafka://b:1/words"}) ==
        "E-USAGE: topics of several clusters can't be read by one job (kafka://b:1/words)");
  CHECK(refusal_of({"/texts"}) == "none");
  CHECK(refusal_of({"/texts"}, {{"kafka-property", "a=b"}}) ==
        "E-USAGE: --kafka-property is about topics, and the job has none");
  CHECK(refusal_of({"kafka://a:1/words"}, {{"kafka-property", "ssl"}}) ==
        "E-USAGE: --kafka-property takes NAME=VALUE (ssl)");
  CHECK(refusal_of({"kafka://a:1/words"}, {{"partition-discovery", "soon"}}) ==
        "E-USAGE: --partition-discovery takes a duration such as 500ms or \"5 min\", not \"soon\"");
}

std::string output_refusal_of(const std::string& output, const JobArguments::Values& values = {},
                              const Texts& inputs = {}) {
  try {
    JobArguments args(values, "/");
    (void)kafka_output(args, output, inputs);
  } catch (const ErrorException& error) {
    return error.error().headline();
  }
  return "none";
}

TEST_CASE("kafka output: what the arguments say", "[jobs]") {
  JobArguments args({{"delivery", "at-least-once"},
                     {"on-unknown-commit", "drop"},
                     {"transactional-id-prefix", "mine"}},
                    "/");
  const auto topic = kafka_output(args, "kafka://a:1,b:2/totals", {"kafka://a:1/totals"});
  REQUIRE(topic);
  CHECK(topic->brokers == "a:1,b:2");
  CHECK(topic->topic == "totals");
  CHECK(topic->delivery_guarantee == DeliveryGuarantee::at_least_once);
  CHECK(topic->on_unknown_commit == UnknownCommit::drop);
  CHECK(topic->transactional_id_prefix == "mine");
  for (const auto& output : {std::optional<std::string>("/rows"), std::optional<std::string>()}) {
    JobArguments others({}, "/");
    CHECK_FALSE(kafka_output(others, output, {}));
  }
}

TEST_CASE("kafka output: what can't be is refused", "[jobs]") {
  CHECK(output_refusal_of("kafka://a:1/t") == "none");
  CHECK(output_refusal_of("kafka://a:1/t,u") ==
        "E-USAGE: rows go to one topic, kafka://HOST:PORT[,HOST:PORT]/TOPIC (kafka://a:1/t,u)");
  CHECK(output_refusal_of("kafka://a:1/t", {{"delivery", "twice"}}) ==
        "E-USAGE: --delivery is one of none, at-least-once, exactly-once (twice)");
  CHECK(output_refusal_of("kafka://a:1/t", {{"on-unknown-commit", "guess"}}) ==
        "E-USAGE: --on-unknown-commit is one of fail, send, drop (guess)");
  CHECK(output_refusal_of("kafka:/a:1/t") ==
        "E-USAGE: topics are written kafka://HOST:PORT[,HOST:PORT]/TOPIC[,TOPIC] (kafka:/a:1/t)");
  CHECK(output_refusal_of("kafka://a:1/t", {}, {"/texts", "kafka://a:1/s,t"}) ==
        "E-USAGE: the job would read what it writes (kafka://a:1/t)");
}

}  // namespace
}  // namespace streamrun::jobs
