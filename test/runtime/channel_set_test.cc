#include <streamrun/runtime/channel_set.h>

#include <optional>
#include <random>
#include <set>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("channel set: the next in turn is that of a plain set, however many channels there are",
          "[runtime]") {
  const std::size_t channels = GENERATE(1, 2, 63, 64, 65, 1001, 4095, 4096, 4097, 9000);
  INFO(channels << " channels");
  std::mt19937 random(7);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  ChannelSet set(channels);
  std::set<std::size_t> model;
  for (int step = 0; step < 3000; ++step) {
    const std::size_t channel = below(channels);
    // Mostly a few are in it, for a while many.
    if (below(10) < (step % 1000 < 200 ? 8 : 3)) {
      set.insert(channel);
      model.insert(channel);
    } else if (!model.empty()) {
      const auto some = model.lower_bound(channel);
      const std::size_t gone = some == model.end() ? *model.begin() : *some;
      set.erase(gone);
      model.erase(gone);
    }
    CHECK(set.contains(channel) == model.contains(channel));
    const std::size_t odd = below(3);  // those that are not wanted
    const auto is_wanted = [odd](std::size_t each) { return odd == 0 || each % 3 != odd; };
    const std::size_t from = below(channels);
    std::optional<std::size_t> expected;
    for (auto at = model.lower_bound(from); at != model.end() && !expected; ++at)
      if (is_wanted(*at)) expected = *at;
    for (auto at = model.begin(); at != model.end() && *at < from && !expected; ++at)
      if (is_wanted(*at)) expected = *at;
    REQUIRE(set.next(from, is_wanted) == expected);
  }
}

}  // namespace
}  // namespace streamrun
