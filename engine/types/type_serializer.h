#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/types/fields.h>

#include <bit>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// How a value becomes bytes and how old bytes are recognised. A specialisation has:
///   static std::string type_name();                  recorded in every snapshot; a restore
///   compares it static void write(ByteWriter&, const T&); static void read(ByteReader&, T&); on
///   damage the reader says `failed()`, the value is anything
/// and may have, for what is written often:
///   static std::size_t most_bytes(const T&);         how many `put` writes at most
///   static char* put(char* to, const T&);            what `write` writes, to memory with room for
///   it
/// Fixed-size numbers are big-endian as in Flink. Plain structs serialise by themselves, field by
/// field in order.
template <typename T>
struct TypeSerializer;

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

template <>
struct TypeSerializer<double> {
  static std::string type_name() { return "float64"; }
  static void write(ByteWriter& out, double value) { out.u64(std::bit_cast<std::uint64_t>(value)); }
  static std::size_t most_bytes(double) { return 8; }
  static char* put(char* to, double value) {
    return put_u64(to, std::bit_cast<std::uint64_t>(value));
  }
  static void read(ByteReader& in, double& value) { value = std::bit_cast<double>(in.u64()); }
};

template <>
struct TypeSerializer<float> {
  static std::string type_name() { return "float32"; }
  static void write(ByteWriter& out, float value) { out.u32(std::bit_cast<std::uint32_t>(value)); }
  static std::size_t most_bytes(float) { return 4; }
  static char* put(char* to, float value) {
    return put_u32(to, std::bit_cast<std::uint32_t>(value));
  }
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

/// Whether a T can be written straight to memory.
template <typename T>
concept PutSerializable = requires(char* to, const T& value) {
  { TypeSerializer<T>::most_bytes(value) } -> std::same_as<std::size_t>;
  { TypeSerializer<T>::put(to, value) } -> std::same_as<char*>;
};

template <typename T>
struct TypeSerializer<std::optional<T>> {
  static std::string type_name() { return "optional<" + TypeSerializer<T>::type_name() + ">"; }
  static void write(ByteWriter& out, const std::optional<T>& value) {
    out.u8(value.has_value() ? 1 : 0);
    if (value) TypeSerializer<T>::write(out, *value);
  }
  static std::size_t most_bytes(const std::optional<T>& value) requires PutSerializable<T> {
    return 1 + (value ? TypeSerializer<T>::most_bytes(*value) : 0);
  }
  static char* put(char* to, const std::optional<T>& value) requires PutSerializable<T> {
    to = put_u8(to, value.has_value() ? 1 : 0);
    return value ? TypeSerializer<T>::put(to, *value) : to;
  }
  static void read(ByteReader& in, std::optional<T>& value) {
    value.reset();
    if (in.u8() != 0) TypeSerializer<T>::read(in, value.emplace());
  }
};

template <typename T>
struct TypeSerializer<std::vector<T>> {
  static std::string type_name() { return "list<" + TypeSerializer<T>::type_name() + ">"; }
  static void write(ByteWriter& out, const std::vector<T>& value) {
    out.varint(value.size());
    for (const T& element : value) TypeSerializer<T>::write(out, element);
  }
  static void read(ByteReader& in, std::vector<T>& value) {
    value.clear();
    // An element takes at least no byte, so the count alone bounds nothing: stop as soon as bytes
    // run out.
    for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
      if (in.remaining() == 0) return in.fail();
      TypeSerializer<T>::read(in, value.emplace_back());
    }
  }
};

template <typename K, typename V>
struct TypeSerializer<std::map<K, V>> {
  static std::string type_name() {
    return "map<" + TypeSerializer<K>::type_name() + "," + TypeSerializer<V>::type_name() + ">";
  }
  static void write(ByteWriter& out, const std::map<K, V>& value) {
    out.varint(value.size());
    for (const auto& [key, mapped] : value) {
      TypeSerializer<K>::write(out, key);
      TypeSerializer<V>::write(out, mapped);
    }
  }
  static void read(ByteReader& in, std::map<K, V>& value) {
    value.clear();
    for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
      if (in.remaining() == 0) return in.fail();
      K key{};
      TypeSerializer<K>::read(in, key);
      TypeSerializer<V>::read(in, value[std::move(key)]);
    }
  }
};

template <typename A, typename B>
struct TypeSerializer<std::pair<A, B>> {
  static std::string type_name() {
    return "(" + TypeSerializer<A>::type_name() + "," + TypeSerializer<B>::type_name() + ")";
  }
  static void write(ByteWriter& out, const std::pair<A, B>& value) {
    TypeSerializer<A>::write(out, value.first);
    TypeSerializer<B>::write(out, value.second);
  }
  static constexpr bool kPuts = PutSerializable<A> && PutSerializable<B>;
  static std::size_t most_bytes(const std::pair<A, B>& value) requires kPuts {
    return TypeSerializer<A>::most_bytes(value.first) + TypeSerializer<B>::most_bytes(value.second);
  }
  static char* put(char* to, const std::pair<A, B>& value) requires kPuts {
    return TypeSerializer<B>::put(TypeSerializer<A>::put(to, value.first), value.second);
  }
  static void read(ByteReader& in, std::pair<A, B>& value) {
    TypeSerializer<A>::read(in, value.first);
    TypeSerializer<B>::read(in, value.second);
  }
};

template <typename... F>
struct TypeSerializer<std::tuple<F...>> {
  static std::string type_name() {
    std::string name;
    ((name += (name.empty() ? "" : ",") + TypeSerializer<F>::type_name()), ...);
    return "(" + name + ")";
  }
  static void write(ByteWriter& out, const std::tuple<F...>& value) {
    std::apply([&](const F&... field) { (TypeSerializer<F>::write(out, field), ...); }, value);
  }
  static constexpr bool kPuts = (PutSerializable<F> && ...);
  static std::size_t most_bytes(const std::tuple<F...>& value) requires kPuts {
    return std::apply(
        [](const F&... field) {
          return (std::size_t{0} + ... + TypeSerializer<F>::most_bytes(field));
        },
        value);
  }
  static char* put(char* to, const std::tuple<F...>& value) requires kPuts {
    std::apply([&](const F&... field) { ((to = TypeSerializer<F>::put(to, field)), ...); }, value);
    return to;
  }
  static void read(ByteReader& in, std::tuple<F...>& value) {
    std::apply([&](F&... field) { (TypeSerializer<F>::read(in, field), ...); }, value);
  }
};

namespace detail {
template <typename... F>
constexpr bool puts_all(const std::tuple<F...>*) {
  return (PutSerializable<std::remove_cvref_t<F>> && ...);
}
}  // namespace detail

template <PlainStruct T>
struct TypeSerializer<T> {
  static std::string type_name() {
    return name_of(static_cast<decltype(fields_of(std::declval<T&>()))*>(nullptr));
  }
  static void write(ByteWriter& out, const T& value) {
    std::apply(
        [&](const auto&... field) {
          (TypeSerializer<std::remove_cvref_t<decltype(field)>>::write(out, field), ...);
        },
        fields_of(value));
  }
  static constexpr bool kPuts =
      detail::puts_all(static_cast<decltype(fields_of(std::declval<T&>()))*>(nullptr));
  static std::size_t most_bytes(const T& value) requires kPuts {
    return std::apply(
        [](const auto&... field) {
          return (std::size_t{0} + ... +
                  TypeSerializer<std::remove_cvref_t<decltype(field)>>::most_bytes(field));
        },
        fields_of(value));
  }
  static char* put(char* to, const T& value) requires kPuts {
    std::apply(
        [&](const auto&... field) {
          ((to = TypeSerializer<std::remove_cvref_t<decltype(field)>>::put(to, field)), ...);
        },
        fields_of(value));
    return to;
  }
  static void read(ByteReader& in, T& value) {
    std::apply(
        [&](auto&... field) {
          (TypeSerializer<std::remove_cvref_t<decltype(field)>>::read(in, field), ...);
        },
        fields_of(value));
  }

 private:
  template <typename... F>
  static std::string name_of(const std::tuple<F...>*) {
    std::string name;
    ((name += (name.empty() ? "" : ",") + TypeSerializer<std::remove_cvref_t<F>>::type_name()),
     ...);
    return "struct(" + name + ")";
  }
};

template <typename T>
concept Serializable = requires(ByteWriter& out, ByteReader& in, T& value) {
  { TypeSerializer<T>::type_name() } -> std::same_as<std::string>;
  TypeSerializer<T>::write(out, value);
  TypeSerializer<T>::read(in, value);
};

template <Serializable T>
std::string to_bytes(const T& value) {
  std::string bytes;
  ByteWriter out(bytes);
  TypeSerializer<T>::write(out, value);
  return bytes;
}

/// E-STATE-CORRUPT if the bytes are not exactly one value.
template <Serializable T>
Result<T> from_bytes(std::string_view bytes) {
  T value{};
  ByteReader in(bytes);
  TypeSerializer<T>::read(in, value);
  if (!in.done()) {
    return Error{.code = ErrorCode::state_corrupt,
                 .message = "the bytes of a " + TypeSerializer<T>::type_name() + " are damaged"};
  }
  return value;
}

}  // namespace streamrun
