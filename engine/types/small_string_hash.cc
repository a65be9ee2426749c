// g++ 12 finds its own header for AVX-512 uninitialised (GCC bug 105593).
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <streamrun/types/small_string_hash.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace streamrun {
namespace {

void hash_one_by_one(const SmallString* strings, std::size_t count, std::uint32_t* hashes) {
  for (std::size_t i = 0; i < count; ++i) hashes[i] = java_hash(strings[i]);
}

#if defined(__x86_64__) && defined(__SSE4_1__)
constexpr std::uint32_t k4 = 31U * 31U * 31U * 31U;
constexpr int kPower4 = static_cast<int>(k4);
constexpr int kPower8 = static_cast<int>(k4 * k4);
constexpr int kPower12 = static_cast<int>(k4 * k4 * k4);

// Both ways below work on four vectors of strings at a time. Of each string come four partial sums
// (see `java_hash`); two rounds of unpacking and adding bring the sums of four strings into one
// lane, and the same shuffles bring their sizes there. A last permutation restores the order.

[[gnu::target("avx2")]] std::size_t hash_avx2(const SmallString* strings, std::size_t count,
                                              std::uint32_t* hashes) {
  constexpr std::size_t kAtOnce = 8;
  const __m256i characters = _mm256_set_epi64x(0x00ffffffffffffff, -1, 0x00ffffffffffffff, -1);
  const __m256i powers =
      _mm256_set_epi32(1, kPower4, kPower8, kPower12, 1, kPower4, kPower8, kPower12);
  const __m256i order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
  const auto* const inverse = reinterpret_cast<const __m256i*>(detail::kInversePowers.data());
  const __m256i inverse_low = _mm256_loadu_si256(inverse);
  const __m256i inverse_high = _mm256_loadu_si256(inverse + 1);
  std::size_t done = 0;
  for (; done + kAtOnce <= count; done += kAtOnce) {
    const auto* const from = reinterpret_cast<const __m256i*>(strings + done);
    const __m256i a = _mm256_loadu_si256(from);
    const __m256i b = _mm256_loadu_si256(from + 1);
    const __m256i c = _mm256_loadu_si256(from + 2);
    const __m256i d = _mm256_loadu_si256(from + 3);
    const __m256i any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
    if (_mm256_movemask_epi8(any) != 0) [[unlikely]] {
      hash_one_by_one(strings + done, kAtOnce, hashes + done);
      continue;
    }
#define STREAMRUN_PARTIAL_SUMS(v)                                                            \
  _mm256_mullo_epi32(_mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_and_si256(v, characters), \
                                                            _mm256_set1_epi16(0x011f)),      \
                                       _mm256_set1_epi32(0x000103c1)),                       \
                     powers)
    const __m256i sa = STREAMRUN_PARTIAL_SUMS(a);
    const __m256i sb = STREAMRUN_PARTIAL_SUMS(b);
    const __m256i sc = STREAMRUN_PARTIAL_SUMS(c);
    const __m256i sd = STREAMRUN_PARTIAL_SUMS(d);
#undef STREAMRUN_PARTIAL_SUMS
    const __m256i ab =
        _mm256_add_epi32(_mm256_unpacklo_epi32(sa, sb), _mm256_unpackhi_epi32(sa, sb));
    const __m256i cd =
        _mm256_add_epi32(_mm256_unpacklo_epi32(sc, sd), _mm256_unpackhi_epi32(sc, sd));
    const __m256i sums =
        _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    const __m256i sizes = _mm256_srli_epi32(
        _mm256_unpackhi_epi64(_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d)), 24);
    const __m256i factors = _mm256_blendv_epi8(_mm256_permutevar8x32_epi32(inverse_low, sizes),
                                               _mm256_permutevar8x32_epi32(inverse_high, sizes),
                                               _mm256_cmpgt_epi32(sizes, _mm256_set1_epi32(7)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(hashes + done),
                        _mm256_permutevar8x32_epi32(_mm256_mullo_epi32(sums, factors), order));
  }
  return done;
}

[[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] std::size_t hash_avx512(
    const SmallString* strings, std::size_t count, std::uint32_t* hashes) {
  constexpr std::size_t kAtOnce = 16;
  const __m512i powers = _mm512_broadcast_i32x4(_mm_set_epi32(1, kPower4, kPower8, kPower12));
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  const __m512i inverse = _mm512_loadu_si512(detail::kInversePowers.data());
  constexpr __mmask64 kCharacters = 0x7fff7fff7fff7fffULL;
  std::size_t done = 0;
  for (; done + kAtOnce <= count; done += kAtOnce) {
    const __m512i a = _mm512_loadu_si512(strings + done);
    const __m512i b = _mm512_loadu_si512(strings + done + 4);
    const __m512i c = _mm512_loadu_si512(strings + done + 8);
    const __m512i d = _mm512_loadu_si512(strings + done + 12);
    const __m512i any = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
    if (_mm512_movepi8_mask(any) != 0) [[unlikely]] {
      hash_one_by_one(strings + done, kAtOnce, hashes + done);
      continue;
    }
#define STREAMRUN_PARTIAL_SUMS(v)                                                                  \
  _mm512_mullo_epi32(_mm512_madd_epi16(_mm512_maddubs_epi16(_mm512_maskz_mov_epi8(kCharacters, v), \
                                                            _mm512_set1_epi16(0x011f)),            \
                                       _mm512_set1_epi32(0x000103c1)),                             \
                     powers)
    const __m512i sa = STREAMRUN_PARTIAL_SUMS(a);
    const __m512i sb = STREAMRUN_PARTIAL_SUMS(b);
    const __m512i sc = STREAMRUN_PARTIAL_SUMS(c);
    const __m512i sd = STREAMRUN_PARTIAL_SUMS(d);
#undef STREAMRUN_PARTIAL_SUMS
    const __m512i ab =
        _mm512_add_epi32(_mm512_unpacklo_epi32(sa, sb), _mm512_unpackhi_epi32(sa, sb));
    const __m512i cd =
        _mm512_add_epi32(_mm512_unpacklo_epi32(sc, sd), _mm512_unpackhi_epi32(sc, sd));
    const __m512i sums =
        _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m512i sizes = _mm512_srli_epi32(
        _mm512_unpackhi_epi64(_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d)), 24);
    const __m512i factors = _mm512_permutexvar_epi32(sizes, inverse);
    _mm512_storeu_si512(hashes + done,
                        _mm512_permutexvar_epi32(order, _mm512_mullo_epi32(sums, factors)));
  }
  return done;
}
#endif

}  // namespace

void java_hash_all(const SmallString* strings, std::size_t count, std::uint32_t* hashes,
                   VectorLevel level) {
  std::size_t done = 0;
#if defined(__x86_64__) && defined(__SSE4_1__)
  if (level == VectorLevel::avx512) done = hash_avx512(strings, count, hashes);
  if (level == VectorLevel::avx2) done = hash_avx2(strings, count, hashes);
#endif
  (void)level;
  hash_one_by_one(strings + done, count - done, hashes + done);
}

}  // namespace streamrun
