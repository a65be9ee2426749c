#include <streamrun/operators/timestamps_and_watermarks_operator.h>

#include <chrono>
#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include "harness/operator_harness.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;

Timestamp number_in(std::string_view text) {
  return std::stoll(std::string(text));
}
using Numbers = TimestampsAndWatermarksOperator<std::string, decltype(&number_in)>;

test::OperatorUnderTest<std::string, std::string> numbers() {
  return {.make = [] {
    return std::make_unique<Numbers>(WatermarkStrategy::for_bounded_out_of_orderness(10ms)
                                         .with_idleness(1s)
                                         .with_timestamp_assigner(&number_in));
  }};
}

TEST_CASE("timestamps and watermarks operator: records pass as they are", "[operators]") {
  test::require_results<std::string, std::string>(numbers(), {"3", "1", "20000000000000000", "2"},
                                                  {"3", "1", "20000000000000000", "2"});
}

TEST_CASE("timestamps and watermarks operator: makes watermarks of timestamps", "[operators]") {
  test::OperatorHarness<std::string, std::string> harness(numbers());
  auto& emitter = dynamic_cast<WatermarkEmitter&>(harness.op());
  CHECK_FALSE(emitter.next_watermark(Instant(0ms)));
  harness.process({"30", "50", "40"});
  CHECK_FALSE(emitter.next_watermark(Instant(100ms)));
  CHECK(emitter.next_watermark_at() == Instant(200ms));
  CHECK(emitter.next_watermark(Instant(200ms)) == WatermarkEvent(Watermark{39}));
  CHECK_FALSE(emitter.next_watermark(Instant(200ms)));
  CHECK_FALSE(emitter.next_watermark(Instant(1200ms)));  // its input is looked at first
  CHECK(emitter.next_watermark(Instant(1200ms)) ==
        WatermarkEvent(WatermarkStatus{.is_idle = true}));
  CHECK(harness.op().records_in() == 3);
  CHECK(harness.op().records_out() == 3);
  CHECK(harness.snapshot().empty());
}

}  // namespace
}  // namespace streamrun
