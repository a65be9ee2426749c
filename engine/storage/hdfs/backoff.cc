#include "backoff.h"

#include <algorithm>

namespace streamrun {

bool Backoff::again() {
  if (done_ >= settings_.attempts) return false;
  const int doublings = std::min(done_ - 1, 20);
  const Duration whole =
      std::min(settings_.first_backoff * (std::int64_t{1} << doublings), settings_.most_backoff);
  const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(whole.count() / 2, 0));
  transport_.pause(Duration(static_cast<std::int64_t>(half + random_.below(half + 1))));
  ++done_;
  return true;
}

}  // namespace streamrun
