// g++ 12 finds its own header for AVX-512 uninitialised (GCC bug 105593).
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <streamrun/base/assert.h>
#include <streamrun/stream/select.h>

#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace streamrun {

#if defined(__x86_64__)
#define STREAMRUN_AVX512 gnu::target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2,popcnt")

namespace {

// The loops below load whole vectors only where all their values are there; a mask hides the rest.

[[STREAMRUN_AVX512]] inline char* select_4(const char* values, std::uint64_t chosen, char* out) {
  for (; chosen != 0; chosen >>= 16U, values += 64) {
    const auto mask = static_cast<__mmask16>(chosen);
    _mm512_storeu_si512(out,
                        _mm512_maskz_compress_epi32(mask, _mm512_maskz_loadu_epi32(mask, values)));
    out += std::size_t{4} * static_cast<unsigned>(std::popcount(chosen & 0xffffU));
  }
  return out;
}

[[STREAMRUN_AVX512]] inline char* select_8(const char* values, std::uint64_t chosen, char* out) {
  for (; chosen != 0; chosen >>= 8U, values += 64) {
    const auto mask = static_cast<__mmask8>(chosen);
    _mm512_storeu_si512(out,
                        _mm512_maskz_compress_epi64(mask, _mm512_maskz_loadu_epi64(mask, values)));
    out += std::size_t{8} * static_cast<unsigned>(std::popcount(chosen & 0xffU));
  }
  return out;
}

[[STREAMRUN_AVX512]] inline char* select_16(const char* values, std::uint64_t chosen, char* out) {
  for (; chosen != 0; chosen >>= 4U, values += 64) {
    // Two lanes of 8 bytes for each value.
    const auto mask =
        static_cast<__mmask8>(_pdep_u32(static_cast<unsigned>(chosen & 0xfU), 0x55U) * 3U);
    _mm512_storeu_si512(out,
                        _mm512_maskz_compress_epi64(mask, _mm512_maskz_loadu_epi64(mask, values)));
    out += std::size_t{16} * static_cast<unsigned>(std::popcount(chosen & 0xfU));
  }
  return out;
}

}  // namespace

[[STREAMRUN_AVX512]] void find_targets(const std::uint32_t* hashes, std::size_t count,
                                       int parallelism, int max_parallelism,
                                       std::uint8_t* targets) {
  const auto groups = static_cast<unsigned>(max_parallelism);
  SR_ASSERT(std::has_single_bit(groups) && parallelism <= static_cast<int>(kMostSelectTargets),
            "few targets, and a number of key groups that is a power of two");
  const __m512i group_mask = _mm512_set1_epi32(max_parallelism - 1);
  const __m512i factor = _mm512_set1_epi32(parallelism);
  const __m128i shift = _mm_cvtsi32_si128(std::countr_zero(groups));
  for (std::size_t i = 0; i < count; i += 16) {
    const auto mask = static_cast<__mmask16>(count - i >= 16 ? 0xffffU : (1U << (count - i)) - 1U);
    const __m512i group = _mm512_and_si512(_mm512_maskz_loadu_epi32(mask, hashes + i), group_mask);
    const __m512i target = _mm512_srl_epi32(_mm512_mullo_epi32(group, factor), shift);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(targets + i), _mm512_cvtepi32_epi8(target));
  }
  // What stands behind the last record goes nowhere.
  for (std::size_t i = count; i % kSelectStep != 0; ++i) targets[i] = 0xff;
}

[[STREAMRUN_AVX512]] std::size_t select_values(const void* values, std::size_t size,
                                               const std::uint8_t* targets, std::size_t count,
                                               std::uint8_t target, void* out) {
  const auto* from = static_cast<const char*>(values);
  auto* const first = static_cast<char*>(out);
  char* to = first;
  for (std::size_t i = 0; i < count; i += kSelectStep, from += kSelectStep * size) {
    const std::uint64_t chosen = _mm512_cmpeq_epi8_mask(
        _mm512_loadu_si512(targets + i), _mm512_set1_epi8(static_cast<char>(target)));
    switch (size) {
      case 4:
        to = select_4(from, chosen, to);
        break;
      case 8:
        to = select_8(from, chosen, to);
        break;
      default:
        SR_ASSERT(size == 16, "values have 4, 8 or 16 bytes");
        to = select_16(from, chosen, to);
    }
  }
  return static_cast<std::size_t>(to - first) / size;
}

#else

void find_targets(const std::uint32_t*, std::size_t, int, int, std::uint8_t*) {
  SR_ASSERT(false, "this CPU has no AVX-512");
}
std::size_t select_values(const void*, std::size_t, const std::uint8_t*, std::size_t, std::uint8_t,
                          void*) {
  SR_ASSERT(false, "this CPU has no AVX-512");
  return 0;
}

#endif

}  // namespace streamrun
