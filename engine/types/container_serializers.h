#pragma once

#include <streamrun/types/scalar_serializers.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace streamrun {

template <typename T>
struct TypeSerializer<std::optional<T>> {
  static TypeDescriptor descriptor() { return describe_parts<T>("optional", '<'); }
  static std::string type_name() { return descriptor().text(); }
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

/// A count, then the elements.
template <typename T>
struct TypeSerializer<std::vector<T>> {
  // So that damaged bytes can't ask for more memory than they are long.
  static_assert(!std::is_empty_v<T>, "an element takes at least one byte");

  static TypeDescriptor descriptor() { return describe_parts<T>("list", '<'); }
  static std::string type_name() { return descriptor().text(); }
  static void write(ByteWriter& out, const std::vector<T>& value) {
    out.varint(value.size());
    for (const T& element : value) TypeSerializer<T>::write(out, element);
  }
  static std::size_t most_bytes(const std::vector<T>& value) requires PutSerializable<T> {
    std::size_t most = kMostVarintBytes;
    for (const T& element : value) most += TypeSerializer<T>::most_bytes(element);
    return most;
  }
  static char* put(char* to, const std::vector<T>& value) requires PutSerializable<T> {
    to = put_varint(to, value.size());
    for (const T& element : value) to = TypeSerializer<T>::put(to, element);
    return to;
  }
  static void read(ByteReader& in, std::vector<T>& value) {
    value.clear();
    // The count alone bounds nothing: stop as soon as bytes run out.
    for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
      if (in.remaining() == 0) return in.fail();
      if constexpr (std::is_same_v<T, bool>) {
        value.push_back(in.u8() != 0);
      } else {
        TypeSerializer<T>::read(in, value.emplace_back());
      }
    }
  }
};

/// Bytes that are no text, as one piece.
template <>
struct TypeSerializer<std::vector<std::byte>> {
  using Bytes = std::vector<std::byte>;
  static std::string type_name() { return "bytes"; }
  static void write(ByteWriter& out, const Bytes& value) { out.text(view_of(value)); }
  static std::size_t most_bytes(const Bytes& value) { return kMostVarintBytes + value.size(); }
  static char* put(char* to, const Bytes& value) { return put_text(to, view_of(value)); }
  static void read(ByteReader& in, Bytes& value) {
    const std::string_view bytes = in.text();
    const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
    value.assign(first, first + bytes.size());
  }

 private:
  static std::string_view view_of(const Bytes& value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
  }
};

namespace detail {

/// What ordered and unordered maps share: a count, then keys and values in the order of the keys,
/// so that equal maps have equal bytes and one kind can be read as the other.
template <typename Map>
struct MapSerializer {
  using K = typename Map::key_type;
  using V = typename Map::mapped_type;
  static constexpr bool kPuts = PutSerializable<K> && PutSerializable<V>;

  static TypeDescriptor descriptor() { return describe_parts<K, V>("map", '<'); }
  static std::string type_name() { return descriptor().text(); }
  static void write(ByteWriter& out, const Map& value) {
    out.varint(value.size());
    in_key_order(value, [&](const K& key, const V& mapped) {
      TypeSerializer<K>::write(out, key);
      TypeSerializer<V>::write(out, mapped);
    });
  }
  static std::size_t most_bytes(const Map& value) requires kPuts {
    std::size_t most = kMostVarintBytes;
    for (const auto& [key, mapped] : value)
      most += TypeSerializer<K>::most_bytes(key) + TypeSerializer<V>::most_bytes(mapped);
    return most;
  }
  static char* put(char* to, const Map& value) requires kPuts {
    to = put_varint(to, value.size());
    in_key_order(value, [&](const K& key, const V& mapped) {
      to = TypeSerializer<V>::put(TypeSerializer<K>::put(to, key), mapped);
    });
    return to;
  }
  static void read(ByteReader& in, Map& value) {
    value.clear();
    for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
      if (in.remaining() == 0) return in.fail();
      K key{};
      TypeSerializer<K>::read(in, key);
      TypeSerializer<V>::read(in, value[std::move(key)]);
    }
  }

 private:
  template <typename F>
  static void in_key_order(const Map& map, F&& use) {
    if constexpr (requires { typename Map::key_compare; }) {
      for (const auto& [key, mapped] : map) use(key, mapped);
    } else {
      std::vector<const typename Map::value_type*> entries;
      entries.reserve(map.size());
      for (const auto& entry : map) entries.push_back(&entry);
      std::sort(entries.begin(), entries.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
      for (const auto* entry : entries) use(entry->first, entry->second);
    }
  }
};

}  // namespace detail

template <typename K, typename V>
struct TypeSerializer<std::map<K, V>> : detail::MapSerializer<std::map<K, V>> {};

template <typename K, typename V>
struct TypeSerializer<std::unordered_map<K, V>> : detail::MapSerializer<std::unordered_map<K, V>> {
};

}  // namespace streamrun
