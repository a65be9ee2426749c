#include <streamrun/connectors/generator/rate_limit.h>

#include <chrono>

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;

Instant at(Duration time) {
  return Instant(time);
}

TEST_CASE("rate limit: the first record is due at once, each further one in its time",
          "[connectors]") {
  RateLimit limit(4);
  CHECK(limit.take(at(1s), 10) == 1);
  CHECK(limit.take(at(1s), 10) == 0);
  CHECK(limit.next(at(1s)) == at(1250ms));
  CHECK(limit.take(at(1249ms), 10) == 0);
  CHECK(limit.take(at(1250ms), 10) == 1);
  CHECK(limit.take(at(2s), 2) == 2);
  CHECK(limit.take(at(2s), 10) == 1);
}

TEST_CASE("rate limit: fast rates come in groups, a millisecond apart", "[connectors]") {
  RateLimit limit(1e6);
  CHECK(limit.take(at(0s), 10) == 1);
  CHECK(limit.next(at(0s)) == at(1ms));
  CHECK(limit.take(at(1ms), 5000) == 1000);
}

TEST_CASE("rate limit: back pressure is made good for a second at most", "[connectors]") {
  RateLimit limit(100);
  CHECK(limit.take(at(0s), 1000) == 1);
  CHECK(limit.take(at(3600s), 50) == 50);
  CHECK(limit.take(at(3600s), 1000) == 101);
  CHECK(limit.take(at(3600s), 1000) == 0);
  CHECK(limit.take(at(3601s), 1000) == 100);
}

TEST_CASE("rate limit: zero is no limit", "[connectors]") {
  RateLimit limit(0);
  CHECK(limit.is_unlimited());
  CHECK(limit.take(at(0s), 7) == 7);
}

}  // namespace
}  // namespace streamrun::test
