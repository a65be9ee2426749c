#include <streamrun/runtime/restart_strategy.h>

#include <algorithm>
#include <cmath>

namespace streamrun {

std::optional<Duration> RestartStrategy::on_failure(Instant now, double chance) {
  switch (options_.type) {
    case RestartOptions::Type::none:
      return std::nullopt;
    case RestartOptions::Type::fixed_delay:
      if (++failures_ > options_.attempts) return std::nullopt;
      return options_.delay;
    case RestartOptions::Type::failure_rate: {
      while (!recent_.empty() && now - recent_.front() > options_.failure_rate_interval)
        recent_.pop_front();
      recent_.push_back(now);
      if (static_cast<int>(recent_.size()) > options_.max_failures_per_interval)
        return std::nullopt;
      return options_.delay;
    }
    case RestartOptions::Type::exponential_delay:
      return exponential(now, chance);
  }
  return std::nullopt;
}

std::optional<Duration> RestartStrategy::exponential(Instant now, double chance) {
  if (last_restart_ && now - *last_restart_ >= options_.reset_backoff_threshold) backoffs_ = 0;
  if (backoffs_ >= options_.attempts_before_reset_backoff) return std::nullopt;
  const auto initial = static_cast<double>(options_.initial_backoff.count());
  const auto most = static_cast<double>(options_.max_backoff.count());
  const double plain = std::min(most, initial * std::pow(options_.backoff_multiplier, backoffs_));
  const double jittered = plain + plain * options_.jitter_factor * (2 * chance - 1);
  ++backoffs_;
  const Duration delay(static_cast<std::int64_t>(std::clamp(jittered, initial, most)));
  last_restart_ = now + delay;
  return delay;
}

std::string RestartStrategy::describe() const {
  switch (options_.type) {
    case RestartOptions::Type::none:
      return "no restart strategy";
    case RestartOptions::Type::fixed_delay:
      return "fixed-delay with " + std::to_string(options_.attempts) + " attempts";
    case RestartOptions::Type::failure_rate:
      return "failure-rate with " + std::to_string(options_.max_failures_per_interval) +
             " failures per interval";
    case RestartOptions::Type::exponential_delay:
      return "exponential-delay";
  }
  return "?";
}

}  // namespace streamrun
