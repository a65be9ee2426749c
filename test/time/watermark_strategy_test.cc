#include <streamrun/base/error.h>
#include <streamrun/time/watermark_strategy.h>

#include <chrono>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

struct Order {
  Timestamp time = 0;
};

TEST_CASE("watermark strategy: a value that says how records are out of order", "[time]") {
  const auto monotonous =
      WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(&Order::time);
  CHECK(monotonous.options.out_of_orderness == 0s);
  CHECK_FALSE(monotonous.options.idleness);
  const auto bounded = WatermarkStrategy::for_bounded_out_of_orderness(1500us)
                           .with_idleness(1min)
                           .with_timestamp_assigner(&Order::time);
  CHECK(bounded.options.out_of_orderness == 2ms);
  CHECK(bounded.options.idleness == Duration(1min));
  CHECK(monotonous.with_idleness(2s).options.idleness == Duration(2s));
}

TEST_CASE("watermark strategy: refuses durations that make no sense", "[time]") {
  CHECK_THROWS_AS(WatermarkStrategy::for_bounded_out_of_orderness(-1ms), ErrorException);
  CHECK_THROWS_AS(WatermarkStrategy::for_monotonous_timestamps().with_idleness(0s), ErrorException);
}

}  // namespace
}  // namespace streamrun
