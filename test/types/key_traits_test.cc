#include <streamrun/types/key_traits.h>

#include <cstdint>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <typename K>
int group_of_128(typename KeyTraits<K>::Ref key) {
  return key_group_of_hash(key_hash_of<K>(key), 128);
}

// The groups with a key in them were printed by Flink.

TEST_CASE("key traits: keys fall into Flink's key groups", "[types]") {
  CHECK(group_of_128<std::int32_t>(42) == 29);
  CHECK(group_of_128<std::int32_t>(-1) == 80);
  CHECK(group_of_128<std::int64_t>(-1) == 94);
  CHECK(group_of_128<std::int64_t>(1234567890123) == 92);
  CHECK(group_of_128<bool>(true) == 77);
  CHECK(group_of_128<bool>(false) == 3);
  CHECK(group_of_128<double>(1.5) == 65);
  CHECK(group_of_128<double>(-0.0) == 108);
  CHECK(group_of_128<float>(1.5F) == 70);
  CHECK(group_of_128<std::string>("") == 94);
  CHECK(group_of_128<std::string>("hello") == 35);
  CHECK(group_of_128<std::string>("user-42") == 20);
  CHECK(group_of_128<std::string>("h\u00e9llo") == 18);
}

TEST_CASE("key traits: narrow integers hash as Java's int of the same value", "[types]") {
  CHECK(KeyTraits<std::int8_t>::java_hash_of(-1) == 0xffffffffU);
  CHECK(KeyTraits<std::uint8_t>::java_hash_of(255) == 255);
  CHECK(KeyTraits<std::int16_t>::java_hash_of(-2) == 0xfffffffeU);
  CHECK(KeyTraits<std::uint64_t>::java_hash_of(~std::uint64_t{0}) == 0);
}

TEST_CASE("key traits: a pair hashes as Flink's Tuple2", "[types]") {
  using Pair = std::pair<std::string, std::int32_t>;
  CHECK(KeyTraits<Pair>::java_hash_of({"hello", 42}) == 31U * 99162322U + 42U);
  using Nested = std::pair<std::int32_t, Pair>;
  CHECK(KeyTraits<Nested>::java_hash_of({7, {"hello", 42}}) == 31U * 7U + 31U * 99162322U + 42U);
}

TEST_CASE("key traits: a text's slot hashes as the text, at every length", "[types]") {
  StringArena arena;
  std::string text;
  for (int length = 0; length < 40; ++length) {
    for (const char last : {'a', '\x7f', '\0', '\xc3', '\xff'}) {
      std::string other = text;
      if (!other.empty()) other.back() = last;
      INFO("length " << length << ", last byte " << static_cast<int>(last));
      CHECK(KeyTraits<std::string>::java_hash_of(arena.hold(other)) == java_hash(other));
    }
    text += static_cast<char>('0' + length * 7 % 70);
  }
}

TEST_CASE("key traits: a probe finds the held key", "[types]") {
  StringArena arena;
  for (const std::string text :
       {"", "short", "exactly15bytes!", "sixteen bytes !!", "a rather long key of a stream"}) {
    const SmallString held = KeyTraits<std::string>::hold(text, arena);
    CHECK(KeyTraits<std::string>::equal(held, KeyTraits<std::string>::probe(text)));
    CHECK(KeyTraits<std::string>::view(held) == text);
  }
}

TEST_CASE("key traits: reals are equal as Java's Double says, so that equal keys hash equally",
          "[types]") {
  CHECK(KeyTraits<double>::equal(kNaN, -kNaN));
  CHECK_FALSE(KeyTraits<double>::equal(0.0, -0.0));
  CHECK(KeyTraits<double>::equal(1.5, 1.5));
  CHECK(KeyTraits<float>::equal(static_cast<float>(kNaN), static_cast<float>(kNaN)));
  CHECK_FALSE(KeyTraits<float>::equal(0.0F, -0.0F));
}

}  // namespace
}  // namespace streamrun
