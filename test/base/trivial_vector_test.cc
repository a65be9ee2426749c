#include <streamrun/base/trivial_vector.h>

#include <cstdint>
#include <numeric>
#include <utility>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TrivialVector<std::uint32_t> numbers(std::size_t count) {
  TrivialVector<std::uint32_t> values;
  std::uint32_t* const first = values.extend(count);
  std::iota(first, first + count, 0U);
  return values;
}

TEST_CASE("trivial vector: keeps its values while it grows", "[base]") {
  TrivialVector<std::uint32_t> values;
  for (std::uint32_t i = 0; i < 1000; ++i) values.push_back(i);
  std::uint32_t* const more = values.extend(1000);
  std::iota(more, more + 1000, 1000U);
  REQUIRE(values.size() == 2000);
  for (std::uint32_t i = 0; i < 2000; ++i) CHECK(values[i] == i);
}

TEST_CASE("trivial vector: appends a value of its own while it grows", "[base]") {
  TrivialVector<std::uint32_t> values = numbers(64);
  for (int i = 0; i < 200; ++i) values.push_back(values[1]);
  CHECK(values[263] == 1);
}

TEST_CASE("trivial vector: begins on a cache line", "[base]") {
  for (const std::size_t count : {1U, 100U, 5000U}) {
    CHECK(reinterpret_cast<std::uintptr_t>(numbers(count).data()) % 64 == 0);
  }
}

TEST_CASE("trivial vector: clearing and truncating keep the memory", "[base]") {
  TrivialVector<std::uint32_t> values = numbers(100);
  const std::uint32_t* const memory = values.data();
  values.truncate(10);
  CHECK(values.size() == 10);
  values.clear();
  CHECK(values.empty());
  values.extend(100);
  CHECK(values.data() == memory);
}

TEST_CASE("trivial vector: copies are independent, moves take the memory", "[base]") {
  TrivialVector<std::uint32_t> values = numbers(10);
  TrivialVector<std::uint32_t> copy = values;
  copy[0] = 7;
  CHECK(values[0] == 0);
  copy = TrivialVector<std::uint32_t>();
  CHECK(copy.empty());
  const std::uint32_t* const memory = values.data();
  const TrivialVector<std::uint32_t> moved = std::move(values);
  CHECK(moved.data() == memory);
  CHECK(moved.size() == 10);
}

}  // namespace
}  // namespace streamrun
