#include <streamrun/rest/operations.h>

#include <string>
#include <thread>

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

using Kind = Operations::Kind;
using Begun = Operations::Begun;

class SetClock final : public Clock {
 public:
  Instant now() const override { return time; }
  std::int64_t unix_milliseconds() const override { return 0; }
  Instant time{};
};

}  // namespace

TEST_CASE("operations: a result is kept for five minutes after it is done", "[rest]") {
  SetClock clock;
  Operations operations(clock);
  CHECK(operations.begin(Kind::savepoint, "a") == Begun::now);
  CHECK(operations.begin(Kind::savepoint, "a") == Begun::before);
  CHECK(operations.begin(Kind::checkpoint, "a") == Begun::now);
  CHECK_FALSE(operations.look(Kind::disposal, "a"));
  clock.time += std::chrono::hours(1);
  CHECK(operations.begin(Kind::savepoint, "b") == Begun::now);
  REQUIRE(operations.look(Kind::savepoint, "a"));
  CHECK_FALSE(*operations.look(Kind::savepoint, "a"));
  operations.end(Kind::savepoint, "a", std::string("1"));
  operations.end(Kind::savepoint, "nobody's", std::string("2"));
  clock.time += Operations::kKept;
  CHECK(operations.begin(Kind::savepoint, "c") == Begun::now);
  CHECK(operations.look(Kind::savepoint, "a"));
  clock.time += Duration(1);
  CHECK(operations.begin(Kind::savepoint, "d") == Begun::now);
  CHECK_FALSE(operations.look(Kind::savepoint, "a"));
}

TEST_CASE("operations: only so many are under way; the oldest that is done makes room", "[rest]") {
  SetClock clock;
  Operations operations(clock);
  for (std::size_t i = 0; i < Operations::kMost; ++i)
    CHECK(operations.begin(Kind::savepoint, std::to_string(i)) == Begun::now);
  CHECK(operations.begin(Kind::savepoint, "more") == Begun::refused);
  clock.time += Duration(1);
  operations.end(Kind::savepoint, "7", std::string("{}"));
  CHECK(operations.begin(Kind::savepoint, "more") == Begun::now);
  CHECK_FALSE(operations.look(Kind::savepoint, "7"));
  CHECK(operations.begin(Kind::savepoint, "still more") == Begun::refused);
}

TEST_CASE("operations: the end waits until every result was heard", "[rest]") {
  SetClock clock;
  Operations operations(clock);
  operations.wait_until_heard(std::chrono::hours(1));  // nothing to wait for
  operations.begin(Kind::savepoint, "a");
  std::thread other([&] {
    operations.end(Kind::savepoint, "a", std::string("{}"));
    operations.look(Kind::savepoint, "a");
  });
  operations.wait_until_heard(std::chrono::hours(1));
  other.join();
  operations.begin(Kind::savepoint, "unheard");
  operations.wait_until_heard(std::chrono::milliseconds(1));
}

}  // namespace streamrun::test
