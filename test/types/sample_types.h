#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace streamrun {

enum class Colour : std::uint8_t { red, green, blue };

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool operator==(const Point&) const = default;
};

/// A plain struct of everything that serialises by itself, other plain structs among it.
struct Everything {
  bool flag = false;
  std::int8_t tiny = 0;
  std::uint16_t small = 0;
  std::int64_t large = 0;
  double real = 0;
  float short_real = 0;
  std::string text;
  Colour colour = Colour::red;
  std::optional<Point> maybe;
  std::vector<Point> path;
  std::map<std::string, std::vector<std::int32_t>> index;
  std::tuple<std::string, std::pair<bool, Point>, std::vector<std::byte>,
             std::unordered_map<std::int32_t, std::vector<bool>>>
      rest;
  bool operator==(const Everything&) const = default;
};

inline Everything sample() {
  return {
      .flag = true,
      .tiny = -7,
      .small = 65535,
      .large = -1234567890123,
      .real = -0.5,
      .short_real = 1.5F,
      .text = std::string("a\0b", 3) + std::string(40, 'z'),
      .colour = Colour::blue,
      .maybe = Point{1, -2},
      .path = {{3, 4}, {5, 6}},
      .index = {{"", {}}, {"primes", {2, 3, 5}}},
      .rest = {
          "tail", {true, {7, 8}}, {std::byte{0}, std::byte{255}}, {{7, {true, false}}, {-1, {}}}}};
}

}  // namespace streamrun
