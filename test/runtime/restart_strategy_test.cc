#include <streamrun/runtime/restart_strategy.h>

#include <optional>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using Type = RestartOptions::Type;

constexpr double kNoJitter = 0.5;

Instant at(Duration time) {
  return Instant(time);
}

struct Failure {
  Duration time;
  std::optional<Duration> delay;  ///< none: the job fails
};

void check(RestartOptions options, const std::vector<Failure>& failures,
           double chance = kNoJitter) {
  RestartStrategy strategy(options);
  for (const Failure& failure : failures) {
    INFO("failure at " << failure.time.count() / 1000000 << " ms");
    CHECK(strategy.on_failure(at(failure.time), chance) == failure.delay);
  }
}

TEST_CASE("restart strategy: none never restarts", "[runtime]") {
  check({.type = Type::none}, {{0s, std::nullopt}, {1h, std::nullopt}});
}

TEST_CASE("restart strategy: fixed-delay restarts as often as it says over the whole run",
          "[runtime]") {
  check({.type = Type::fixed_delay}, {{0s, 1s}, {100h, std::nullopt}});
  check({.type = Type::fixed_delay, .attempts = 3, .delay = 5s},
        {{0s, 5s}, {10h, 5s}, {20h, 5s}, {30h, std::nullopt}});
  check({.type = Type::fixed_delay, .attempts = 0}, {{0s, std::nullopt}});
}

TEST_CASE("restart strategy: failure-rate fails with one failure too many within the interval",
          "[runtime]") {
  const RestartOptions two_a_minute{
      .type = Type::failure_rate, .delay = 3s, .max_failures_per_interval = 2};
  check(two_a_minute, {{0s, 3s}, {30s, 3s}, {60s, std::nullopt}});
  check(two_a_minute, {{0s, 3s}, {30s, 3s}, {60s + 1ns, 3s}, {90s, std::nullopt}});
  check(two_a_minute, {{0s, 3s}, {61s, 3s}, {122s, 3s}, {183s, 3s}});
  check({.type = Type::failure_rate}, {{0s, 1s}, {60s, std::nullopt}});
  check({.type = Type::failure_rate}, {{0s, 1s}, {61s, 1s}});
}

TEST_CASE("restart strategy: exponential-delay grows by its multiplier up to its most",
          "[runtime]") {
  check({.type = Type::exponential_delay}, {{0s, 1s}, {2s, 1500ms}, {4s, 2250ms}, {7s, 3375ms}});
  check({.type = Type::exponential_delay, .max_backoff = 4s, .backoff_multiplier = 2},
        {{0s, 1s}, {2s, 2s}, {5s, 4s}, {10s, 4s}, {15s, 4s}});
}

TEST_CASE(
    "restart strategy: exponential-delay starts again after a quiet time since the planned restart",
    "[runtime]") {
  const RestartOptions options{
      .type = Type::exponential_delay, .backoff_multiplier = 2, .reset_backoff_threshold = 1min};
  // The second restart is planned for 12 s: one minute after that is 72 s.
  check(options, {{0s, 1s}, {10s, 2s}, {72s - 1ns, 4s}});
  check(options, {{0s, 1s}, {10s, 2s}, {72s, 1s}, {80s, 2s}});
}

TEST_CASE(
    "restart strategy: exponential-delay gives up after the attempts that it has without a quiet "
    "time",
    "[runtime]") {
  const RestartOptions options{.type = Type::exponential_delay,
                               .backoff_multiplier = 2,
                               .reset_backoff_threshold = 1min,
                               .attempts_before_reset_backoff = 2};
  check(options, {{0s, 1s}, {5s, 2s}, {10s, std::nullopt}});
  check(options, {{0s, 1s}, {5s, 2s}, {2min, 1s}, {125s, 2s}, {130s, std::nullopt}});
}

TEST_CASE("restart strategy: jitter moves a delay by its factor, within its bounds", "[runtime]") {
  const RestartOptions options{
      .type = Type::exponential_delay, .max_backoff = 4s, .backoff_multiplier = 2};
  check(options, {{0s, 1s}, {2s, 1800ms}, {4s, 3600ms}}, 0.0);
  check(options, {{0s, 1100ms}, {2s, 2200ms}, {4s, 4s}}, 1.0);
}

TEST_CASE("restart strategy: a long row of failures keeps the longest delay", "[runtime]") {
  RestartStrategy strategy({.type = Type::exponential_delay});
  std::optional<Duration> delay;
  for (int i = 0; i < 5000; ++i) delay = strategy.on_failure(at(i * 1s), kNoJitter);
  CHECK(delay == 1min);
}

TEST_CASE("restart strategy: says in a report who suppressed the recovery", "[runtime]") {
  CHECK(RestartStrategy({.type = Type::none}).describe() == "no restart strategy");
  CHECK(RestartStrategy({.type = Type::fixed_delay, .attempts = 3}).describe() ==
        "fixed-delay with 3 attempts");
}

}  // namespace
}  // namespace streamrun
