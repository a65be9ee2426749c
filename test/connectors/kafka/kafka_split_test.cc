#include "kafka_split.h"

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

const KafkaSplit kSplit{.partition = {"words", 3}, .next = 1'000'000'000'000, .stop = 0};
const KafkaEnumeratorState kState{
    .has_looked = true,
    .is_complete = true,
    .known = {{.partition = {"words", 3}, .stop = 5}, {.partition = {"a", 0}}},
    .unassigned = {kSplit, {.partition = {"b", 1}, .next = 7}}};

TEST_CASE("kafka: positions and partitions survive their encoding", "[connectors]") {
  CHECK(value_or_throw(decode_kafka_split(encode_kafka_split(kSplit))) == kSplit);
  CHECK(value_or_throw(decode_kafka_enumerator(encode_kafka_enumerator(kState))) == kState);
}

TEST_CASE("kafka: bytes that are cut short or go on are refused", "[connectors]") {
  const auto damaged = [](const auto& result) {
    return !result && result.error().code == ErrorCode::state_corrupt;
  };
  const std::string split = encode_kafka_split(kSplit);
  for (std::size_t size = 0; size < split.size(); ++size)
    CHECK(damaged(decode_kafka_split(split.substr(0, size))));
  CHECK(damaged(decode_kafka_split(split + '\0')));
  const std::string state = encode_kafka_enumerator(kState);
  for (std::size_t size = 0; size < state.size(); ++size)
    CHECK(damaged(decode_kafka_enumerator(state.substr(0, size))));
  CHECK(damaged(decode_kafka_split("\x02" + split.substr(1))));
}

TEST_CASE("kafka: partitions have the owners that Flink gives them", "[connectors]") {
  // 113318569 is "words".hashCode() in Java.
  const std::uint32_t hash = 113318569U * 31U & 0x7fffffffU;
  for (std::int32_t partition = 0; partition < 10; ++partition) {
    CHECK(owner_of({"words", partition}, 4) ==
          static_cast<int>((hash % 4 + static_cast<std::uint32_t>(partition)) % 4));
  }
}

}  // namespace
}  // namespace streamrun::test
