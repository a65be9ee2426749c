#include <streamrun/config/validation.h>

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

std::vector<std::string> check(const std::map<std::string, std::string>& values) {
  Configuration configuration;
  for (const auto& [key, value] : values) {
    REQUIRE(configuration.set(key, value, Origin::file, "c.yaml:1").has_value());
  }
  std::vector<std::string> messages;
  for (const Error& error : contradictions(configuration)) {
    CHECK(error.code == ErrorCode::config);
    messages.push_back(error.message);
  }
  return messages;
}

TEST_CASE("validation: defaults contradict nothing", "[config]") {
  CHECK(check({}).empty());
}

TEST_CASE("validation: what hardly means what was meant is a warning with the keys", "[config]") {
  const auto doubts_of = [](const std::map<std::string, std::string>& values) {
    Configuration configuration;
    for (const auto& [key, value] : values)
      REQUIRE(configuration.set(key, value, Origin::file, "c.yaml:1").has_value());
    return doubts(configuration);
  };
  const std::string checkpointing = "execution.checkpointing.";
  CHECK(doubts_of({}).empty());
  CHECK(doubts_of({{checkpointing + "min-pause", "1 s"}}).empty());
  const auto pause = doubts_of(
      {{checkpointing + "min-pause", "1 s"}, {checkpointing + "max-concurrent-checkpoints", "2"}});
  REQUIRE(pause.size() == 1);
  CHECK(
      pause[0].starts_with("execution.checkpointing.min-pause with "
                           "execution.checkpointing.max-concurrent-checkpoints above 1"));
  const auto aligned = doubts_of({{checkpointing + "aligned-checkpoint-timeout", "1 s"}});
  REQUIRE(aligned.size() == 1);
  CHECK(aligned[0].find("execution.checkpointing.unaligned.enabled") != std::string::npos);
}

TEST_CASE("validation: each contradiction names its keys and their places", "[config]") {
  struct Row {
    std::map<std::string, std::string> values;
    std::string message;
  };
  const std::string checkpointing = "execution.checkpointing.";
  const std::string exponential = "restart-strategy.exponential-delay.";
  const std::vector<Row> rows = {
      {{{checkpointing + "unaligned", "true"}, {checkpointing + "mode", "AT_LEAST_ONCE"}},
       "execution.checkpointing.unaligned.enabled (c.yaml:1) needs EXACTLY_ONCE, but "
       "execution.checkpointing.mode "
       "(c.yaml:1) is AT_LEAST_ONCE"},
      {{{checkpointing + "unaligned.enabled", "true"},
        {checkpointing + "max-concurrent-checkpoints", "2"}},
       "execution.checkpointing.unaligned.enabled (c.yaml:1) allows one checkpoint at a time, but "
       "execution.checkpointing.max-concurrent-checkpoints (c.yaml:1) is 2"},
      {{{checkpointing + "interval", "9 ms"}},
       "execution.checkpointing.interval (c.yaml:1) must be at least 10 ms"},
      {{{checkpointing + "interval", "0"}},
       "execution.checkpointing.interval (c.yaml:1) must be at least 10 ms"},
      {{{checkpointing + "timeout", "9 ms"}},
       "execution.checkpointing.timeout (c.yaml:1) must be at least 10 ms"},
      {{{"state.checkpoints.num-retained", "0"}},
       "execution.checkpointing.num-retained (c.yaml:1) must be at least 1"},
      {{{checkpointing + "max-concurrent-checkpoints", "0"}},
       "execution.checkpointing.max-concurrent-checkpoints (c.yaml:1) must be at least 1"},
      {{{checkpointing + "tolerable-failed-checkpoints", "-1"}},
       "execution.checkpointing.tolerable-failed-checkpoints (c.yaml:1) must be at least 0"},
      {{{"state.storage.fs.memory-threshold", "1048577"}},
       "execution.checkpointing.data-inline-threshold (c.yaml:1) must be at most 1 mb"},
      {{{"state.checkpoint-storage", "filesystem"}},
       "execution.checkpointing.storage (c.yaml:1) is filesystem, but execution.checkpointing.dir "
       "is not set"},
      {{{"parallelism.default", "0"}}, "parallelism.default (c.yaml:1) must be at least 1"},
      {{{"parallelism.default", "32769"}}, "parallelism.default (c.yaml:1) must be at most 32768"},
      {{{"pipeline.max-parallelism", "32769"}},
       "pipeline.max-parallelism (c.yaml:1) must be at most 32768"},
      {{{"pipeline.max-parallelism", "-2"}},
       "pipeline.max-parallelism (c.yaml:1) must be at least 1"},
      {{{"parallelism.default", "5"}, {"pipeline.max-parallelism", "4"}},
       "parallelism.default (c.yaml:1) is 5, above pipeline.max-parallelism (c.yaml:1), which is "
       "4"},
      {{{"restart-strategy.fixed-delay.attempts", "-1"}},
       "restart-strategy.fixed-delay.attempts (c.yaml:1) must be at least 0"},
      {{{"restart-strategy.failure-rate.max-failures-per-interval", "0"}},
       "restart-strategy.failure-rate.max-failures-per-interval (c.yaml:1) must be at least 1"},
      {{{"restart-strategy.failure-rate.failure-rate-interval", "0"}},
       "restart-strategy.failure-rate.failure-rate-interval (c.yaml:1) must be at least 1 ms"},
      {{{exponential + "initial-backoff", "0"}},
       "restart-strategy.exponential-delay.initial-backoff (c.yaml:1) must be at least 1 ms"},
      {{{exponential + "initial-backoff", "2 min"}},
       "restart-strategy.exponential-delay.initial-backoff (c.yaml:1) is longer than "
       "restart-strategy.exponential-delay.max-backoff (default)"},
      {{{exponential + "backoff-multiplier", "1"}},
       "restart-strategy.exponential-delay.backoff-multiplier (c.yaml:1) must be above 1"},
      {{{exponential + "jitter-factor", "1.1"}},
       "restart-strategy.exponential-delay.jitter-factor (c.yaml:1) must be from 0 to 1"},
      {{{exponential + "jitter-factor", "-0.1"}},
       "restart-strategy.exponential-delay.jitter-factor (c.yaml:1) must be from 0 to 1"},
      {{{exponential + "attempts-before-reset-backoff", "-1"}},
       "restart-strategy.exponential-delay.attempts-before-reset-backoff (c.yaml:1) must be at "
       "least 0"},
  };
  for (const Row& row : rows) {
    INFO(row.message);
    CHECK(check(row.values) == std::vector<std::string>{row.message});
  }
}

TEST_CASE("validation: values at their bounds are fine", "[config]") {
  CHECK(check({{"execution.checkpointing.interval", "10 ms"},
               {"execution.checkpointing.timeout", "10 ms"},
               {"execution.checkpointing.num-retained", "1"},
               {"execution.checkpointing.data-inline-threshold", "1 mb"},
               {"execution.checkpointing.storage", "filesystem"},
               {"state.checkpoints.dir", "ckpt"},
               {"execution.checkpointing.unaligned", "true"},
               {"parallelism.default", "32768"},
               {"pipeline.max-parallelism", "32768"},
               {"restart-strategy.fixed-delay.attempts", "0"},
               {"restart-strategy.exponential-delay.initial-backoff", "1 ms"},
               {"restart-strategy.exponential-delay.max-backoff", "1 ms"},
               {"restart-strategy.exponential-delay.jitter-factor", "0"}})
            .empty());
}

TEST_CASE("validation: all contradictions are reported together", "[config]") {
  CHECK(check({{"execution.checkpointing.interval", "1 ms"},
               {"parallelism.default", "0"},
               {"execution.checkpointing.num-retained", "0"}})
            .size() == 3);
}

}  // namespace
}  // namespace streamrun
