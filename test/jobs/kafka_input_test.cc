#include "kafka_input.h"

#include <catch2/catch.hpp>

namespace streamrun::jobs {
namespace {

using Texts = std::vector<std::string>;

std::string refusal_of(const Texts& inputs, const JobArguments::Values& values = {}) {
  try {
    JobArguments args(values, "/");
    (void)kafka_input(args, inputs, false);
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
    return kafka_input(args, inputs, watch);
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
        "E-USAGE: --kafka-property is about topics, and no input is one");
  CHECK(refusal_of({"kafka://a:1/words"}, {{"kafka-property", "ssl"}}) ==
        "E-USAGE: --kafka-property takes NAME=VALUE (ssl)");
  CHECK(refusal_of({"kafka://a:1/words"}, {{"partition-discovery", "soon"}}) ==
        "E-USAGE: --partition-discovery takes a duration such as 500ms or \"5 min\", not \"soon\"");
}

}  // namespace
}  // namespace streamrun::jobs
