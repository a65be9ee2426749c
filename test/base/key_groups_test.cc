#include <streamrun/base/java_hash.h>
#include <streamrun/base/key_groups.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

constexpr std::int32_t kMinInt = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMaxInt = std::numeric_limits<std::int32_t>::max();

int group_of_128(std::uint32_t hash) {
  return key_group_of_hash(murmur_hash(hash), 128);
}

// Every expectation in this file with a key in it was printed by Flink.

TEST_CASE("murmur hash: of int keys, is Flink's", "[base]") {
  const auto [key, murmur, group] = GENERATE(table<std::int32_t, std::uint32_t, int>({
      {0, 593689054, 94},
      {1, 68075478, 86},
      {2, 1085422463, 127},
      {42, 1134849565, 29},
      {-1, 1982413648, 80},
      {kMinInt, 1718298732, 108},
      {kMaxInt, 1653689534, 62},
      {1000000, 2127295249, 17},
  }));
  CHECK(java_hash(key) == static_cast<std::uint32_t>(key));
  CHECK(murmur_hash(java_hash(key)) == murmur);
  CHECK(group_of_128(java_hash(key)) == group);
}

TEST_CASE("java hash: of texts counts UTF-16 units, as Java does", "[base]") {
  const auto [key, hash, group] = GENERATE(table<std::string, std::int32_t, int>({
      {"", 0, 94},
      {"a", 97, 81},
      {"hello", 99162322, 35},
      {"user-42", -147182656, 20},
      {"h\u00e9llo", 103094734, 18},
      {"\U0001F600", 1772899, 54},
  }));
  CHECK(static_cast<std::int32_t>(java_hash(key)) == hash);
  CHECK(group_of_128(java_hash(key)) == group);
}

TEST_CASE("java hash: of longs folds the halves", "[base]") {
  const auto [key, hash, group] = GENERATE(table<std::int64_t, std::uint32_t, int>({
      {0, 0, 94},
      {1, 1, 86},
      {-1, 0, 94},
      {1234567890123, 1912276436, 92},
  }));
  CHECK(java_hash(key) == hash);
  CHECK(group_of_128(java_hash(key)) == group);
}

TEST_CASE("java hash: of bool, double and float is Java's", "[base]") {
  CHECK(java_hash(true) == 1231);
  CHECK(java_hash(false) == 1237);
  CHECK(java_hash(1.5) == 1073217536);
  CHECK(static_cast<std::int32_t>(java_hash(-0.0)) == kMinInt);
  CHECK(java_hash(0.0) == 0);
  CHECK(java_hash(1.5F) == 1069547520);
  CHECK(group_of_128(java_hash(true)) == 77);
  CHECK(group_of_128(java_hash(false)) == 3);
  CHECK(group_of_128(java_hash(1.5)) == 65);
  CHECK(group_of_128(java_hash(-0.0)) == 108);
  CHECK(group_of_128(java_hash(1.5F)) == 70);
}

TEST_CASE("java hash: every NaN is the canonical one", "[base]") {
  CHECK(java_hash(std::nan("1")) == java_hash(-std::nan("")));
  CHECK(java_hash(std::nan("")) == 0x7ff80000U);
  CHECK(java_hash(std::nanf("7")) == 0x7fc00000U);
}

TEST_CASE("java hash: a literal is a text, not a bool", "[base]") {
  CHECK(java_hash("hello") == 99162322);
}

TEST_CASE("java hash: texts of every length agree with the sum", "[base]") {
  std::string text;
  std::uint32_t hash = 0;
  for (unsigned i = 0; i < 40; ++i) {
    CHECK(java_hash(text) == hash);
    text += static_cast<char>('a' + i % 26);
    hash = hash * 31 + static_cast<std::uint8_t>(text.back());
  }
}

TEST_CASE("java hash: wherever the first wide letter stands, the rest is read as UTF-16",
          "[base]") {
  for (std::size_t before = 0; before < 20; ++before) {
    std::uint32_t hash = 0;
    for (std::size_t i = 0; i < before; ++i) hash = hash * 31 + 'x';
    for (const std::uint32_t unit : {0xe9U, 0xd83dU, 0xde00U, 0x20acU, std::uint32_t{'z'}})
      hash = hash * 31 + unit;
    CHECK(java_hash(std::string(before, 'x') + "\u00e9\U0001F600\u20acz") == hash);
  }
}

TEST_CASE("java hash: bytes that are not UTF-8 count as U+FFFD each", "[base]") {
  const std::uint32_t one = 0xfffd;
  CHECK(java_hash("\xff") == one);
  CHECK(java_hash("\xc0\x80") == one * 31 + one);                   // an overlong NUL
  CHECK(java_hash("\xed\xa0\x80") == (one * 31 + one) * 31 + one);  // a surrogate
  CHECK(java_hash("\xe2\x82") == one * 31 + one);                   // cut short
}

TEST_CASE("key group range: 128 over 3 is Flink's split", "[base]") {
  CHECK(key_group_range_of(0, 3, 128) == KeyGroupRange{0, 42});
  CHECK(key_group_range_of(1, 3, 128) == KeyGroupRange{43, 85});
  CHECK(key_group_range_of(2, 3, 128) == KeyGroupRange{86, 127});
}

TEST_CASE("key group range: ranges of all subtasks cover each group once, and its owner holds it",
          "[base]") {
  for (const int max_parallelism : {1, 2, 7, 127, 128, 4096, kMaxParallelismLimit}) {
    for (const int parallelism : {1, 2, 3, 5, 7, 100, 127, 4095, 32767, 32768}) {
      if (parallelism > max_parallelism) continue;
      int next = 0;
      bool owned = true;
      for (int subtask = 0; subtask < parallelism; ++subtask) {
        const KeyGroupRange range = key_group_range_of(subtask, parallelism, max_parallelism);
        owned = owned && range.first == next && range.size() > 0;
        for (int group = range.first; group <= range.last; ++group) {
          owned = owned && subtask_of_key_group(group, parallelism, max_parallelism) == subtask;
        }
        next = range.last + 1;
      }
      CHECK(owned);
      CHECK(next == max_parallelism);
    }
  }
}

TEST_CASE("default max parallelism: is Flink's for every size", "[base]") {
  const auto [parallelism, expected] = GENERATE(table<int, int>({
      {1, 128},
      {85, 128},
      {86, 256},
      {171, 256},
      {1000, 2048},
      {21846, 32768},
      {32768, 32768},
      {kMaxInt, 32768},
  }));
  CHECK(default_max_parallelism(parallelism) == expected);
}

TEST_CASE("murmur hash: is never negative", "[base]") {
  bool negative = false;
  for (std::uint32_t code = 0; code < 1'000'000; ++code) {
    negative = negative || (murmur_hash(code * 2654435761U) & 0x80000000U) != 0;
  }
  CHECK_FALSE(negative);
}

TEST_CASE("murmur hashes: vectors of every width agree with one code at a time", "[base]") {
  std::uint32_t seed = 1;
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<std::uint32_t> codes(count);
    for (std::uint32_t& code : codes) code = seed = seed * 1664525U + 1013904223U;
    std::vector<std::uint32_t> expected(count);
    std::transform(codes.begin(), codes.end(), expected.begin(), murmur_hash);
    for (const VectorLevel level :
         {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512}) {
      if (level > vector_level()) continue;
      INFO(count << " codes at level " << static_cast<int>(level));
      std::vector<std::uint32_t> hashes = codes;
      murmur_hash_all(hashes.data(), count, level);
      CHECK(hashes == expected);
    }
  }
}

}  // namespace
}  // namespace streamrun
