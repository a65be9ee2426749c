#include <streamrun/runtime/channel.h>

#include <cstdint>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("spsc ring: takes what it has room for and gives it back in order", "[runtime]") {
  SpscRing<int> ring(4);
  int out = 0;
  CHECK_FALSE(ring.try_pop(out));
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) {
      int value = round * 10 + i;
      CHECK(ring.try_push(value));
    }
    CHECK(ring.size() == ring.capacity());
    int more = 99;
    CHECK_FALSE(ring.try_push(more));
    for (int i = 0; i < 4; ++i) {
      REQUIRE(ring.try_pop(out));
      CHECK(out == round * 10 + i);
    }
    CHECK(ring.size() == 0);
  }
}

TEST_CASE(
    "spsc ring: leaves a value that has no room as it is, and keeps nothing of one that was read",
    "[runtime]") {
  SpscRing<std::shared_ptr<int>> ring(1);
  auto first = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = first;
  auto second = std::make_shared<int>(2);
  REQUIRE(ring.try_push(first));
  REQUIRE_FALSE(ring.try_push(second));
  CHECK(second != nullptr);
  std::shared_ptr<int> out;
  REQUIRE(ring.try_pop(out));
  out.reset();
  CHECK(watched.expired());
}

TEST_CASE("spsc ring: a million elements cross two threads in order", "[runtime]") {
  constexpr std::uint64_t kCount = 1'000'000;
  SpscRing<std::unique_ptr<std::uint64_t>> ring(16);
  std::thread writer([&ring] {
    for (std::uint64_t i = 0; i < kCount; ++i) {
      auto value = std::make_unique<std::uint64_t>(i);
      while (!ring.try_push(value)) std::this_thread::yield();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    std::unique_ptr<std::uint64_t> value;
    while (!ring.try_pop(value)) std::this_thread::yield();
    if (*value != i) ++wrong;
  }
  writer.join();
  CHECK(wrong == 0);
  CHECK(ring.size() == 0);
}

}  // namespace
}  // namespace streamrun
