#include "backoff.h"

#include <algorithm>

namespace streamrun {

Backoff::Backoff(const HdfsSettings& settings, StoreTransport& transport, Random& random,
                 const Clock* clock)
    : settings_(settings),
      transport_(transport),
      random_(random),
      clock_(clock),
      begin_(clock == nullptr ? Instant() : clock->now()) {}

Duration Backoff::spent() const {
  return clock_ == nullptr ? paused_ : std::max<Duration>(paused_, clock_->now() - begin_);
}

bool Backoff::again() {
  if (is_impatient_ || done_ >= settings_.attempts) return false;
  if (!pause(settings_.most_time - spent())) return false;
  ++done_;
  return true;
}

bool Backoff::again_undone(Duration patience) {
  is_impatient_ = is_impatient_ || !pause(patience - spent());
  return !is_impatient_;
}

bool Backoff::pause(Duration most) {
  if (most <= Duration()) return false;
  const int doublings = std::min(pauses_++, 20);
  const Duration whole =
      std::min(settings_.first_backoff * (std::int64_t{1} << doublings), settings_.most_backoff);
  const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(whole.count() / 2, 0));
  const Duration drawn(static_cast<std::int64_t>(half + random_.below(half + 1)));
  // At least a millisecond, so that pauses that are set to nothing have an end too.
  const Duration taken = std::min(std::max<Duration>(drawn, std::chrono::milliseconds(1)), most);
  transport_.pause(taken);
  paused_ += taken;
  return true;
}

}  // namespace streamrun
