#pragma once

#include <streamrun/types/serializer.h>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace streamrun {

template <std::integral T>
struct TypeSerializer<T> {
  static std::string type_name() {
    if constexpr (std::is_same_v<T, bool>) return "bool";
    return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T));
  }
  static void write(ByteWriter& out, T value) {
    const auto wide = static_cast<std::uint64_t>(value);
    if constexpr (sizeof(T) == 1) out.u8(static_cast<std::uint8_t>(wide));
    if constexpr (sizeof(T) == 2) out.u16(static_cast<std::uint16_t>(wide));
    if constexpr (sizeof(T) == 4) out.u32(static_cast<std::uint32_t>(wide));
    if constexpr (sizeof(T) == 8) out.u64(wide);
  }
  static std::size_t most_bytes(T) { return sizeof(T); }
  static char* put(char* to, T value) {
    const auto wide = static_cast<std::uint64_t>(value);
    if constexpr (sizeof(T) == 1) return put_u8(to, static_cast<std::uint8_t>(wide));
    if constexpr (sizeof(T) == 2) return put_u16(to, static_cast<std::uint16_t>(wide));
    if constexpr (sizeof(T) == 4) return put_u32(to, static_cast<std::uint32_t>(wide));
    if constexpr (sizeof(T) == 8) return put_u64(to, wide);
  }
  static void read(ByteReader& in, T& value) {
    if constexpr (sizeof(T) == 1) value = static_cast<T>(in.u8());
    if constexpr (sizeof(T) == 2) value = static_cast<T>(in.u16());
    if constexpr (sizeof(T) == 4) value = static_cast<T>(in.u32());
    if constexpr (sizeof(T) == 8) value = static_cast<T>(in.u64());
  }
};

/// As Java's `doubleToLongBits` and `floatToIntBits`: all NaN are one, as they are one key.
inline std::uint64_t canonical_bits(double value) {
  return std::isnan(value) ? 0x7ff8000000000000U : std::bit_cast<std::uint64_t>(value);
}
inline std::uint32_t canonical_bits(float value) {
  return std::isnan(value) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(value);
}

template <>
struct TypeSerializer<double> {
  static std::string type_name() { return "float64"; }
  static void write(ByteWriter& out, double value) { out.u64(canonical_bits(value)); }
  static std::size_t most_bytes(double) { return 8; }
  static char* put(char* to, double value) { return put_u64(to, canonical_bits(value)); }
  static void read(ByteReader& in, double& value) { value = std::bit_cast<double>(in.u64()); }
};

template <>
struct TypeSerializer<float> {
  static std::string type_name() { return "float32"; }
  static void write(ByteWriter& out, float value) { out.u32(canonical_bits(value)); }
  static std::size_t most_bytes(float) { return 4; }
  static char* put(char* to, float value) { return put_u32(to, canonical_bits(value)); }
  static void read(ByteReader& in, float& value) { value = std::bit_cast<float>(in.u32()); }
};

template <>
struct TypeSerializer<std::string> {
  static std::string type_name() { return "string"; }
  static void write(ByteWriter& out, std::string_view value) { out.text(value); }
  static std::size_t most_bytes(std::string_view value) { return kMostVarintBytes + value.size(); }
  static char* put(char* to, std::string_view value) { return put_text(to, value); }
  static void read(ByteReader& in, std::string& value) { value = in.text(); }
};

template <typename T>
requires std::is_enum_v<T>
struct TypeSerializer<T> {
  using Number = std::underlying_type_t<T>;
  static std::string type_name() { return "enum:" + TypeSerializer<Number>::type_name(); }
  static void write(ByteWriter& out, T value) {
    TypeSerializer<Number>::write(out, static_cast<Number>(value));
  }
  static std::size_t most_bytes(T) { return sizeof(Number); }
  static char* put(char* to, T value) {
    return TypeSerializer<Number>::put(to, static_cast<Number>(value));
  }
  static void read(ByteReader& in, T& value) {
    Number number{};
    TypeSerializer<Number>::read(in, number);
    value = static_cast<T>(number);
  }
};

}  // namespace streamrun
