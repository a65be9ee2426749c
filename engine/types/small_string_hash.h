#pragma once

#include <streamrun/base/java_hash.h>
#include <streamrun/base/vector_level.h>
#include <streamrun/types/small_string.h>

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#endif

namespace streamrun {

#if defined(__SSE4_1__)
namespace detail {

/// 31^-(16-n) modulo 2^32 for n = 0 … 15: takes back the multiplications of the zero bytes behind a
/// short string.
constexpr std::array<std::uint32_t, 16> inverse_powers_of_31() {
  constexpr std::uint32_t kInverse = 0xbdef7bdfU;  // 31 * kInverse == 1 (mod 2^32)
  static_assert(31U * kInverse == 1U);
  std::array<std::uint32_t, 16> table{};
  for (unsigned n = 0; n < 16; ++n) {
    std::uint32_t power = 1;
    for (unsigned i = n; i < 16; ++i) power *= kInverse;
    table[n] = power;
  }
  return table;
}
inline constexpr std::array<std::uint32_t, 16> kInversePowers = inverse_powers_of_31();

}  // namespace detail

/// `String.hashCode` of an inline ASCII string, 16 bytes at once: pairs times 31, quads times 961,
/// four lanes times 31^12, 31^8, 31^4 and 1. Anything else takes the way of
/// `java_hash(std::string_view)`.
inline std::uint32_t java_hash(const SmallString& text) {
  const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(text.raw()));
  // A long string has its tag in byte 15, with the high bit set, as has every byte that is not
  // ASCII.
  if (_mm_movemask_epi8(bytes) != 0) [[unlikely]]
    return java_hash(text.view());
  const auto size = static_cast<std::size_t>(_mm_extract_epi8(bytes, 15));
  const __m128i characters = _mm_insert_epi8(bytes, 0, 15);
  const __m128i pairs = _mm_maddubs_epi16(characters, _mm_set1_epi16(0x011f));
  const __m128i quads = _mm_madd_epi16(pairs, _mm_set1_epi32(0x000103c1));
  constexpr std::uint32_t k4 = 31U * 31U * 31U * 31U;
  const __m128i powers = _mm_set_epi32(1, static_cast<int>(k4), static_cast<int>(k4 * k4),
                                       static_cast<int>(k4 * k4 * k4));
  __m128i sum = _mm_mullo_epi32(quads, powers);
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(sum)) * detail::kInversePowers[size];
}
#else
inline std::uint32_t java_hash(const SmallString& text) {
  return java_hash(text.view());
}
#endif

/// `java_hash` of each of `count` strings; `level` at most `vector_level()`.
void java_hash_all(const SmallString* strings, std::size_t count, std::uint32_t* hashes,
                   VectorLevel level = vector_level());

}  // namespace streamrun
