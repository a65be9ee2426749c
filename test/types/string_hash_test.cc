#include <streamrun/types/small_string_hash.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {"a", "Z", "7",   " ", std::string(1, '\0'),
                                                   "é", "€", "\xff"};
  const std::size_t length = random() % 20;
  // Most are ASCII, so that whole vectors of strings take the fast way.
  const std::size_t choices = random() % 8 == 0 ? kPieces.size() : 5;
  std::string text;
  while (text.size() < length) text += kPieces[random() % choices];
  return text;
}

TEST_CASE("string hashes: vectors of every width agree with one string at a time", "[types]") {
  std::mt19937 random(1);
  for (std::size_t count = 0; count < 100; ++count) {
    StringArena arena;
    std::vector<SmallString> strings;
    std::vector<std::uint32_t> expected;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = random_text(random);
      strings.push_back(arena.hold(text));
      expected.push_back(java_hash(std::string_view(text)));
    }
    for (const VectorLevel level :
         {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512}) {
      if (level > vector_level()) continue;
      INFO(count << " strings at level " << static_cast<int>(level));
      std::vector<std::uint32_t> hashes(count);
      java_hash_all(strings.data(), count, hashes.data(), level);
      CHECK(hashes == expected);
    }
  }
}

}  // namespace
}  // namespace streamrun
