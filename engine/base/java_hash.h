#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

namespace streamrun {

/// Java's `hashCode` of the types that Flink takes as keys; key groups depend on it.

/// `String.hashCode`: Σ s[i]·31^(n−1−i) over UTF-16 code units. Ill-formed UTF-8 bytes count as
/// U+FFFD each.
std::uint32_t java_hash(std::string_view utf8);

constexpr std::uint32_t java_hash(std::int32_t value) {
  return static_cast<std::uint32_t>(value);
}
constexpr std::uint32_t java_hash(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return static_cast<std::uint32_t>(bits ^ bits >> 32U);
}
constexpr std::uint32_t java_hash(std::uint32_t value) {
  return value;
}
constexpr std::uint32_t java_hash(std::uint64_t value) {
  return java_hash(static_cast<std::int64_t>(value));
}
/// Takes nothing that only converts to bool: a string literal would, before it became a
/// string_view.
constexpr std::uint32_t java_hash(std::same_as<bool> auto value) {
  return value ? 1231U : 1237U;
}
/// The canonical NaN for every NaN, as `Float.floatToIntBits`.
std::uint32_t java_hash(float value);
std::uint32_t java_hash(double value);

}  // namespace streamrun
