#include <streamrun/platform/random.h>
#include <streamrun/platform/real_clock.h>

#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  const std::uint64_t value_;
};

TEST_CASE("random: below stays below its bound at both ends", "[platform]") {
  CHECK(FixedRandom(0).below(10) == 0);
  CHECK(FixedRandom(~0ULL).below(10) == 9);
  CHECK(FixedRandom(1ULL << 63U).below(10) == 5);
  CHECK(FixedRandom(~0ULL).below(0) == 0);
  CHECK(FixedRandom(~0ULL).below(1) == 0);
}

TEST_CASE("random: a uuid is 32 hex digits of two words", "[platform]") {
  CHECK(FixedRandom(0x0123456789abcdefULL).uuid() == "efcdab8967452301efcdab8967452301");
}

TEST_CASE("real random: repeats nothing", "[platform]") {
  RealRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) CHECK(seen.insert(random.uuid()).second);
}

TEST_CASE("real clock: the monotonic clock never goes back", "[platform]") {
  const RealClock clock;
  Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant next = clock.now();
    CHECK(next >= last);
    last = next;
  }
  CHECK(clock.unix_milliseconds() > 1'700'000'000'000);
}

}  // namespace
}  // namespace streamrun
