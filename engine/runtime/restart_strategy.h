#pragma once

#include <streamrun/platform/clock.h>

#include <deque>
#include <optional>
#include <string>

namespace streamrun {

/// Flink's restart strategies with their defaults (`restart-strategy.*`).
struct RestartOptions {
  enum class Type { none, fixed_delay, failure_rate, exponential_delay };
  Type type = Type::none;
  int attempts = 1;                          ///< fixed-delay: restarts over the whole run
  Duration delay = std::chrono::seconds(1);  ///< fixed-delay, failure-rate
  int max_failures_per_interval = 1;
  Duration failure_rate_interval = std::chrono::minutes(1);
  Duration initial_backoff = std::chrono::seconds(1);
  Duration max_backoff = std::chrono::minutes(1);
  double backoff_multiplier = 1.5;
  Duration reset_backoff_threshold = std::chrono::hours(1);
  double jitter_factor = 0.1;
  int attempts_before_reset_backoff = 2147483647;
};

/// Decides after each failure whether the job is restarted and after which delay. Pure: time and
/// chance are handed in.
class RestartStrategy {
 public:
  explicit RestartStrategy(RestartOptions options) : options_(options) {}
  /// `chance` in [0, 1) is for the jitter. Nothing: the job fails.
  std::optional<Duration> on_failure(Instant now, double chance);
  /// `Recovery is suppressed by …`, as Flink words it.
  std::string describe() const;

 private:
  std::optional<Duration> exponential(Instant now, double chance);

  RestartOptions options_;
  int failures_ = 0;
  std::deque<Instant> recent_;
  int backoffs_ = 0;
  std::optional<Instant> last_restart_;
};

}  // namespace streamrun
