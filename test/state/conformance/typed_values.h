#pragma once

#include <streamrun/types/serializer.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace streamrun {

enum class SignedEnum : std::int8_t { least = -128, nought = 0, most = 127 };
enum class WideEnum : std::uint16_t { first = 0, last = 65535 };

struct Plain {
  std::int32_t number = 0;
  std::string text;
  bool operator==(const Plain&) const = default;
};
struct Named {
  std::int64_t count = 0;
  std::vector<std::string> texts;
  static auto fields() {
    return named_fields(field("count", &Named::count), field("texts", &Named::texts));
  }
};
/// Structs of both forms within another.
struct Nested {
  Plain plain;
  std::map<std::string, Named> named;
  std::optional<double> real;
};

/// The values of a number that are most easily mistaken.
template <typename Number>
std::vector<Number> edge_numbers() {
  using Limits = std::numeric_limits<Number>;
  return {Limits::min(),           static_cast<Number>(Limits::min() + 1), Number{0},    Number{1},
          static_cast<Number>(-1), static_cast<Number>(Limits::max() - 1), Limits::max()};
}
template <typename Real>
std::vector<Real> edge_reals() {
  using Limits = std::numeric_limits<Real>;
  return {Real{0},
          -Real{0},
          Real{1} / 3,
          -Limits::infinity(),
          Limits::infinity(),
          Limits::quiet_NaN(),
          Limits::denorm_min(),
          Limits::lowest(),
          Limits::max()};
}
inline std::vector<std::string> edge_texts() {
  return {"",
          "a",
          "fifteen bytes..",
          "sixteen bytes...",
          std::string("\0\0", 2),
          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
          std::string(127, 'x'),
          std::string(128, 'y'),
          std::string(70000, 'z')};
}

/// Values are the same if their bytes are: of NaN there is one, and 0.0 is not -0.0.
template <typename V>
bool same(const V& a, const V& b) {
  return to_bytes(a) == to_bytes(b);
}

}  // namespace streamrun
