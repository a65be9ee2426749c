// The COST baseline: the best single-threaded loop for this one job, and nothing else. It reads
// files, cuts them into words, lower-cases them and counts them in a flat table; then it prints
// `word<TAB>count`, sorted. Whatever the engine adds (exchange, state, checkpoints) is to be paid
// for in comparison with this.
//
//   - 64 bytes at a time become a bit mask of word characters; `mask ^ (mask << 1)` has a one
//   wherever a word
//     begins or ends, so there is no branch per character;
//   - a word of at most 16 bytes is one vector: lower-cased by `| 0x20`, compared and counted
//   without a loop;
//   - cutting a block and counting its words are two loops, so that the probes of many words
//   overlap.
// g++ 12 finds its own header for AVX-512 uninitialised (GCC bug 105593).
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <immintrin.h>

#include "bench_io.h"

namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;
constexpr std::size_t kPadding =
    64;  ///< readable bytes behind a block, and room for the word before it

/// What a block was cut into: byte positions at which a word begins, ends, begins, …
using Edges = std::vector<std::uint32_t>;

struct alignas(32) Row {
  __m128i key = _mm_setzero_si128();
  std::uint64_t count = 0;  ///< 0: the row is free
};

/// Counts of words of 1 to 16 bytes, which are their own keys: zero bytes fill up what is missing.
class ShortWords {
 public:
  ShortWords() : rows_(kFirstRows) {}

  void add(__m128i key) {
    Row& row = find(rows_, key);
    if (row.count++ == 0) [[unlikely]] {
      row.key = key;
      if (++used_ * 2 > rows_.size()) grow();
    }
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  static constexpr std::uint64_t kSeed = 0x1234567;
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  static constexpr std::size_t kFirstRows = std::size_t{1} << 16U;

  /// The row of a word, or the free one where it belongs.
  static Row& find(std::vector<Row>& rows, __m128i key) {
    const std::size_t mask = rows.size() - 1;
    const auto high = static_cast<std::uint64_t>(_mm_extract_epi64(key, 1));
    std::size_t slot = _mm_crc32_u64(kSeed, static_cast<std::uint64_t>(_mm_cvtsi128_si64(key)));
    for (slot = (slot ^ high * kOdd >> 40U) & mask;; slot = (slot + 1) & mask) {
      const __m128i differs = _mm_xor_si128(rows[slot].key, key);
      if (_mm_testz_si128(differs, differs) != 0 || rows[slot].count == 0) return rows[slot];
    }
  }
  void grow() {
    std::vector<Row> larger(rows_.size() * 2);
    for (const Row& row : rows_) {
      if (row.count != 0) find(larger, row.key) = row;
    }
    rows_.swap(larger);
  }

  std::vector<Row> rows_;
  std::size_t used_ = 0;
};

struct Counts {
  ShortWords short_words;
  std::unordered_map<std::string, std::uint64_t> long_words;

  void add_long(const char* word, std::size_t size) {
    std::string lower(word, size);
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    ++long_words[lower];
  }
};

/// Appends the positions of `edges`, one after another, without a branch for each: eight at a time
/// are written and only `count` of them kept.
inline std::uint32_t* append_edges(std::uint32_t* out, std::uint64_t edges, std::uint32_t at) {
  const auto count = static_cast<std::size_t>(std::popcount(edges));
  std::uint32_t* to = out;
  for (std::size_t done = 0; done < count; done += 8) {
    for (int i = 0; i < 8; ++i) {
      *to++ = at + static_cast<std::uint32_t>(std::countr_zero(edges));
      edges &= edges - 1;
    }
  }
  return out + count;
}

/// One bit for each of the 64 bytes at `text` that is an ASCII letter or digit.
std::uint64_t word_mask_sse(const char* text) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + std::size_t{16} * i));
    const __m128i letter =
        _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    const int bits = _mm_movemask_epi8(_mm_or_si128(is_letter, is_digit));
    mask |= std::uint64_t{static_cast<std::uint32_t>(bits)} << (16 * i);
  }
  return mask;
}

__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt"))) inline std::uint64_t word_mask_avx2(
    const char* text) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 2; ++i) {
    const __m256i bytes =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + std::size_t{32} * i));
    const __m256i letter =
        _mm256_sub_epi8(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
    const __m256i digit = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
    const __m256i is_letter =
        _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(25)), letter);
    const __m256i is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit);
    const int bits = _mm256_movemask_epi8(_mm256_or_si256(is_letter, is_digit));
    mask |= std::uint64_t{static_cast<std::uint32_t>(bits)} << (32 * i);
  }
  return mask;
}

#define BENCH_AVX512 "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,bmi,bmi2,popcnt,lzcnt"

__attribute__((target(BENCH_AVX512))) inline std::uint64_t word_mask_avx512(const char* text) {
  const __m512i bytes = _mm512_loadu_si512(text);
  const __m512i letter =
      _mm512_sub_epi8(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), _mm512_set1_epi8('a'));
  const __m512i digit = _mm512_sub_epi8(bytes, _mm512_set1_epi8('0'));
  return _mm512_cmplt_epu8_mask(letter, _mm512_set1_epi8(26)) |
         _mm512_cmplt_epu8_mask(digit, _mm512_set1_epi8(10));
}

/// The 64 byte numbers of `edges` squeezed together by one instruction, then widened 16 at a time.
__attribute__((target(BENCH_AVX512))) inline std::uint32_t* append_edges_avx512(std::uint32_t* out,
                                                                                std::uint64_t edges,
                                                                                std::uint32_t at) {
  alignas(64) static constexpr std::array<std::uint8_t, 64> kNumbers = [] {
    std::array<std::uint8_t, 64> numbers{};
    for (std::size_t i = 0; i < 64; ++i) numbers[i] = static_cast<std::uint8_t>(i);
    return numbers;
  }();
  const auto count = static_cast<std::size_t>(std::popcount(edges));
  const __m512i packed = _mm512_maskz_compress_epi8(edges, _mm512_load_si512(kNumbers.data()));
  const __m512i base = _mm512_set1_epi32(static_cast<int>(at));
  _mm512_storeu_si512(out,
                      _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed))));
  if (count > 16) {
    _mm512_storeu_si512(
        out + 16,
        _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 1))));
    if (count > 32) [[unlikely]] {
      _mm512_storeu_si512(
          out + 32,
          _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 2))));
      _mm512_storeu_si512(
          out + 48,
          _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 3))));
    }
  }
  return out + count;
}

/// Fills `edges` with those of `size` bytes, which 64 readable bytes follow that are no word
/// characters. Returns how many there are, always an even number: a word that touches the end ends
/// there.
#define BENCH_CUT(name, target_features, mask_of, append)                              \
  target_features std::size_t name(const char* text, std::size_t size, Edges& edges) { \
    std::uint32_t* out = edges.data();                                                 \
    std::uint64_t carry = 0;                                                           \
    for (std::size_t at = 0; at <= size; at += 64) {                                   \
      const std::uint64_t mask = mask_of(text + at);                                   \
      out = append(out, mask ^ (mask << 1U | carry), static_cast<std::uint32_t>(at));  \
      carry = mask >> 63U;                                                             \
    }                                                                                  \
    return static_cast<std::size_t>(out - edges.data());                               \
  }
BENCH_CUT(cut_sse, , word_mask_sse, append_edges)
BENCH_CUT(cut_avx2, __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt"))), word_mask_avx2,
          append_edges)
BENCH_CUT(cut_avx512, __attribute__((target(BENCH_AVX512))), word_mask_avx512, append_edges_avx512)
#undef BENCH_CUT

/// Sixteen bytes of ones, then sixteen of zeros: at 16 − n it has n ones.
alignas(32) constexpr std::array<std::uint8_t, 32> kKeep = [] {
  std::array<std::uint8_t, 32> keep{};
  for (std::size_t i = 0; i < 16; ++i) keep[i] = 0xff;
  return keep;
}();

void count_words(const char* text, const Edges& edges, std::size_t edge_count, Counts& counts) {
  const __m128i lower = _mm_set1_epi8(0x20);
  for (std::size_t i = 0; i < edge_count; i += 2) {
    const std::size_t size = edges[i + 1] - edges[i];
    const char* const word = text + edges[i];
    if (size > 16) [[unlikely]] {
      counts.add_long(word, size);
      continue;
    }
    const __m128i bytes =
        _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(word)), lower);
    const __m128i keep =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(kKeep.data() + 16 - size));
    counts.short_words.add(_mm_and_si128(bytes, keep));
  }
}

using Cut = std::size_t (*)(const char*, std::size_t, Edges&);

Cut best_cut() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw"))
    return cut_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return cut_avx2;
  return cut_sse;
}

bool is_word_character(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

void count_file(const char* path, Cut cut, Counts& counts) {
  streamrun::bench::InputFile file(path);
  std::string buffer;
  Edges edges;
  std::size_t kept = 0;  // bytes of a word that the last block left open
  for (;;) {
    buffer.resize(kept + kBlockBytes + kPadding);
    edges.resize(buffer.size() + kPadding);
    const std::size_t got = file.read(buffer.data() + kept, kBlockBytes);
    const std::size_t filled = kept + got;
    std::size_t whole = filled;
    if (got > 0) {
      while (whole > 0 && is_word_character(buffer[whole - 1])) --whole;
    }
    const std::string open_word = buffer.substr(whole, filled - whole);
    std::memset(buffer.data() + whole, ' ', std::min(kPadding, buffer.size() - whole));
    count_words(buffer.data(), edges, cut(buffer.data(), whole, edges), counts);
    if (got == 0) return;
    std::memcpy(buffer.data(), open_word.data(), open_word.size());
    kept = open_word.size();
  }
}

std::string word_of(const Row& row) {
  std::array<char, 17> bytes{};
  std::memcpy(bytes.data(), &row.key, sizeof row.key);
  return bytes.data();
}

}  // namespace

int main(int argc, char** argv) {
  Counts counts;
  const Cut cut = best_cut();
  for (int i = 1; i < argc; ++i) count_file(argv[i], cut, counts);

  streamrun::bench::WordCounts rows;
  for (const Row& row : counts.short_words.rows()) {
    if (row.count != 0) rows.emplace_back(word_of(row), row.count);
  }
  rows.insert(rows.end(), counts.long_words.begin(), counts.long_words.end());
  streamrun::bench::print_sorted(rows);
}
