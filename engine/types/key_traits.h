#pragma once

#include <streamrun/base/java_hash.h>
#include <streamrun/base/key_groups.h>
#include <streamrun/types/small_string.h>
#include <streamrun/types/small_string_hash.h>
#include <streamrun/types/type_serializer.h>

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace streamrun {

/// What a key type needs: how it is passed, how a table holds it, and its Java hash code, on which
/// key groups depend. Specialise it for a key type of your own whose hash must agree with a Java
/// class.
template <typename K>
struct KeyTraits;

namespace detail {

/// Equality as Java's `equals`, which agrees with its hash codes: reals are equal if their bits
/// are, and NaN equals NaN.
template <typename V>
bool java_equal(const V& a, const V& b) {
  if constexpr (std::floating_point<V>) {
    return a == b ? std::signbit(a) == std::signbit(b) : std::isnan(a) && std::isnan(b);
  } else {
    return a == b;
  }
}
template <typename A, typename B>
bool java_equal(const std::pair<A, B>& a, const std::pair<A, B>& b) {
  return java_equal(a.first, b.first) && java_equal(a.second, b.second);
}

}  // namespace detail

/// Numbers and bool hold themselves.
template <typename K>
requires std::integral<K> || std::floating_point<K>
struct KeyTraits<K> {
  using Ref = K;
  using Held = K;
  static std::uint32_t java_hash_of(K key) {
    if constexpr (std::is_same_v<K, bool> || std::floating_point<K>) {
      return java_hash(key);
    } else if constexpr (sizeof(K) <= 4) {
      return static_cast<std::uint32_t>(key);
    } else {
      return java_hash(static_cast<std::int64_t>(key));
    }
  }
  static Held hold(K key, StringArena&) { return key; }
  static Held probe(K key) { return key; }
  static Ref view(const Held& held) { return held; }
  static bool equal(const Held& a, const Held& b) { return detail::java_equal(a, b); }
};

template <>
struct KeyTraits<std::string> {
  using Ref = std::string_view;
  using Held = SmallString;
  static std::uint32_t java_hash_of(std::string_view key) { return java_hash(key); }
  static std::uint32_t java_hash_of(const SmallString& key) { return java_hash(key); }
  static Held hold(std::string_view key, StringArena& arena) { return arena.hold(key); }
  static Held probe(std::string_view key) {
    return key.size() <= SmallString::kInlineLimit ? SmallString::from_short(key)
                                                   : SmallString::refer_to(key);
  }
  static Ref view(const Held& held) { return held.view(); }
  static bool equal(const Held& a, const Held& b) { return a == b; }
};

/// Java's `Objects.hash` order as Flink's tuples use it: the first field's hash, then 31·h + next.
template <typename A, typename B>
struct KeyTraits<std::pair<A, B>> {
  using Ref = const std::pair<A, B>&;
  using Held = std::pair<A, B>;
  static std::uint32_t java_hash_of(Ref key) {
    return 31 * KeyTraits<A>::java_hash_of(key.first) + KeyTraits<B>::java_hash_of(key.second);
  }
  static Held hold(Ref key, StringArena&) { return key; }
  static Held probe(Ref key) { return key; }
  static Ref view(const Held& held) { return held; }
  static bool equal(const Held& a, const Held& b) { return detail::java_equal(a, b); }
};

template <typename K>
concept Key = Serializable<K> && requires(const typename KeyTraits<K>::Held& held) {
  {KeyTraits<K>::view(held)};
};

/// The hash that travels with a record over a keyed exchange: 31 bits, of which the key group is
/// the remainder by the maximum parallelism.
template <typename K>
std::uint32_t key_hash_of(typename KeyTraits<K>::Ref key) {
  return murmur_hash(KeyTraits<K>::java_hash_of(key));
}

}  // namespace streamrun
