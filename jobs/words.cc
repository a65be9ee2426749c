// g++ 12 finds its own header for AVX-512 uninitialised (GCC bug 105593).
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include "words.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Text is cut in pieces of some kilobytes. First 64 bytes at a time become a bit mask of word
// characters, and `mask ^ (mask << 1)` has a one wherever a word begins or ends; the places of the
// ones are written down. Then each two of them become a word, 16 bytes at once. Neither loop has a
// branch that depends on the text. With AVX-512 nothing behind the text is read; else its end is
// cut in a copy, which is what short lines spend most of their time on.

namespace streamrun::jobs {
namespace {

constexpr std::size_t kChunk = 64;
constexpr std::size_t kPiece = std::size_t{4} << 10U;
/// What may be read behind the text that is cut.
constexpr std::size_t kReadable = kChunk;
constexpr std::size_t kSlotBytes = sizeof(SmallString);

/// Places in one piece at which a word begins, ends, begins, … `append` writes more than it keeps.
using Edges = std::array<std::uint32_t, kPiece + kChunk>;

bool is_word_character(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

std::uint32_t* append_edges(std::uint32_t* out, std::uint64_t edges, std::uint32_t at) {
  const auto count = static_cast<std::size_t>(std::popcount(edges));
  for (std::size_t done = 0; done < count; done += 8) {
    for (std::size_t i = done; i < done + 8; ++i) {
      out[i] = at + static_cast<std::uint32_t>(std::countr_zero(edges));
      edges &= edges - 1;
    }
  }
  return out + count;
}

/// One bit for each of the 64 bytes at `text` that is part of a word.
std::uint64_t word_mask(const char* text) {
  std::uint64_t mask = 0;
#if defined(__SSE2__)
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text) + i);
    const __m128i letter =
        _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    const int bits = _mm_movemask_epi8(_mm_or_si128(is_letter, is_digit));
    mask |= std::uint64_t{static_cast<std::uint32_t>(bits)} << (16 * i);
  }
#else
  for (std::size_t i = 0; i < kChunk; ++i) {
    mask |= std::uint64_t{is_word_character(text[i]) ? 1U : 0U} << i;
  }
#endif
  return mask;
}

/// Writes down the edges of one piece. `carry` is 1 if the byte before the next piece is part of a
/// word.
std::uint32_t* find_edges_baseline(const char* text, std::size_t size, std::uint64_t& carry,
                                   std::uint32_t* out) {
  for (std::size_t at = 0; at < size; at += kChunk) {
    std::uint64_t mask = word_mask(text + at);
    if (size - at < kChunk) mask &= (std::uint64_t{1} << (size - at)) - 1;
    out = append_edges(out, mask ^ (mask << 1U | carry), static_cast<std::uint32_t>(at));
    carry = mask >> 63U;
  }
  return out;
}

#if defined(__x86_64__)
[[gnu::target("avx2,bmi,bmi2,popcnt")]] std::uint32_t* find_edges_avx2(const char* text,
                                                                       std::size_t size,
                                                                       std::uint64_t& carry,
                                                                       std::uint32_t* out) {
  for (std::size_t at = 0; at < size; at += kChunk) {
    std::uint64_t mask = 0;
    for (unsigned i = 0; i < 2; ++i) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + at) + i);
      const __m256i letter =
          _mm256_sub_epi8(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
      const __m256i digit = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
      const __m256i is_letter =
          _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(25)), letter);
      const __m256i is_digit =
          _mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit);
      const int bits = _mm256_movemask_epi8(_mm256_or_si256(is_letter, is_digit));
      mask |= std::uint64_t{static_cast<std::uint32_t>(bits)} << (32 * i);
    }
    if (size - at < kChunk) mask &= (std::uint64_t{1} << (size - at)) - 1;
    out = append_edges(out, mask ^ (mask << 1U | carry), static_cast<std::uint32_t>(at));
    carry = mask >> 63U;
  }
  return out;
}

#define STREAMRUN_AVX512 \
  gnu::target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,bmi,bmi2,popcnt")

/// Writes the bytes of `numbers`, each plus `at`, as 16 integers.
[[STREAMRUN_AVX512]] inline void store_widened(std::uint32_t* out, __m128i numbers, __m512i at) {
  _mm512_storeu_si512(out, _mm512_add_epi32(at, _mm512_cvtepu8_epi32(numbers)));
}

[[STREAMRUN_AVX512]] std::uint32_t* find_edges_avx512(const char* text, std::size_t size,
                                                      std::uint64_t& carry, std::uint32_t* out) {
  alignas(kChunk) static constexpr std::array<std::uint8_t, kChunk> kNumbers = [] {
    std::array<std::uint8_t, kChunk> numbers{};
    for (std::size_t i = 0; i < kChunk; ++i) numbers[i] = static_cast<std::uint8_t>(i);
    return numbers;
  }();
  const __m512i numbers = _mm512_load_si512(kNumbers.data());
  for (std::size_t at = 0; at < size; at += kChunk) {
    // Zeros, which are part of no word, stand for what is behind the text.
    const __m512i bytes =
        size - at >= kChunk
            ? _mm512_loadu_si512(text + at)
            : _mm512_maskz_loadu_epi8((std::uint64_t{1} << (size - at)) - 1, text + at);
    const __m512i letter =
        _mm512_sub_epi8(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), _mm512_set1_epi8('a'));
    const __m512i digit = _mm512_sub_epi8(bytes, _mm512_set1_epi8('0'));
    const std::uint64_t mask = _mm512_cmplt_epu8_mask(letter, _mm512_set1_epi8(26)) |
                               _mm512_cmplt_epu8_mask(digit, _mm512_set1_epi8(10));
    const std::uint64_t edges = mask ^ (mask << 1U | carry);
    carry = mask >> 63U;
    // The numbers of the ones, squeezed together by one instruction, then widened 16 at a time.
    const auto count = static_cast<std::size_t>(std::popcount(edges));
    const __m512i packed = _mm512_maskz_compress_epi8(edges, numbers);
    const __m512i base = _mm512_set1_epi32(static_cast<int>(at));
    store_widened(out, _mm512_castsi512_si128(packed), base);
    if (count > 16) {
      store_widened(out + 16, _mm512_extracti32x4_epi32(packed, 1), base);
      if (count > 32) [[unlikely]] {
        store_widened(out + 32, _mm512_extracti32x4_epi32(packed, 2), base);
        store_widened(out + 48, _mm512_extracti32x4_epi32(packed, 3), base);
      }
    }
    out += count;
  }
  return out;
}
#endif

/// The first `size` (at most 15) of the 16 readable bytes at `text`, in lower case. Digits have bit
/// 0x20 set already.
[[gnu::always_inline]] inline SmallString short_word(const char* text, std::size_t size) {
  SmallString slot;
#if defined(__SSE2__)
  struct alignas(16) Shape {
    std::array<std::uint8_t, 16> keep{};
    std::array<std::uint8_t, 16> size{};
  };
  static constexpr std::array<Shape, 16> kShapes = [] {
    std::array<Shape, 16> shapes{};
    for (std::size_t n = 0; n < 16; ++n) {
      for (std::size_t i = 0; i < n; ++i) shapes[n].keep[i] = 0xff;
      shapes[n].size[15] = static_cast<std::uint8_t>(n);
    }
    return shapes;
  }();
  const auto load = [](const void* from) {
    return _mm_load_si128(static_cast<const __m128i*>(from));
  };
  const __m128i lower =
      _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text)), _mm_set1_epi8(0x20));
  const Shape& shape = kShapes[size];
  _mm_store_si128(reinterpret_cast<__m128i*>(slot.raw()),
                  _mm_or_si128(_mm_and_si128(lower, load(&shape.keep)), load(&shape.size)));
#else
  for (std::size_t i = 0; i < size; ++i) slot.raw()[i] = static_cast<char>(text[i] | 0x20);
  slot.raw()[15] = static_cast<char>(size);
#endif
  return slot;
}

SmallString long_word(std::string_view word, Batch<std::string>& batch) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(c | 0x20);
  return batch.hold(lower);
}

using ShortWord = SmallString (*)(const char*, std::size_t);

/// Emits the words between each two of `count` edges.
template <ShortWord kShortWord>
[[gnu::always_inline]] inline void emit_words(const char* text, const std::uint32_t* edges,
                                              std::size_t count, Output<std::string>& words) {
  std::size_t left = count / 2;
  while (left > 0) {
    Batch<std::string>& batch = words.batch();
    const std::size_t now = std::min(left, kBatchRecords - batch.size());
    SmallString* const slots = batch.extend(now);
    for (std::size_t i = 0; i < now; ++i) {
      const char* const word = text + edges[2 * i];
      const std::size_t size = edges[2 * i + 1] - edges[2 * i];
      slots[i] = size <= SmallString::kInlineLimit ? kShortWord(word, size)
                                                   : long_word({word, size}, batch);
    }
    words.flush_if_full();
    edges += 2 * now;
    left -= now;
  }
}

void emit_words_baseline(const char* text, std::size_t, const std::uint32_t* edges,
                         std::size_t count, Output<std::string>& words) {
  emit_words<short_word>(text, edges, count, words);
}

#if defined(__x86_64__)
/// Reads no byte behind the word.
[[STREAMRUN_AVX512]] inline SmallString short_word_avx512(const char* text, std::size_t size) {
  const auto keep = static_cast<__mmask16>((1U << size) - 1);
  const __m128i lower =
      _mm_maskz_mov_epi8(keep, _mm_or_si128(_mm_maskz_loadu_epi8(keep, text), _mm_set1_epi8(0x20)));
  const __m128i of_size = _mm_slli_si128(_mm_cvtsi32_si128(static_cast<int>(size)), 15);
  SmallString slot;
  _mm_store_si128(reinterpret_cast<__m128i*>(slot.raw()), _mm_or_si128(lower, of_size));
  return slot;
}

/// Loads that keep to the word cost more: only the words at the end, behind which there may be
/// nothing to read, are loaded so.
[[STREAMRUN_AVX512]] void emit_words_avx512(const char* text, std::size_t size,
                                            const std::uint32_t* edges, std::size_t count,
                                            Output<std::string>& words) {
  std::size_t readable = count / 2 * 2;
  while (readable > 0 && edges[readable - 2] + kSlotBytes > size) readable -= 2;
  emit_words<short_word>(text, edges, readable, words);
  emit_words<short_word_avx512>(text, edges + readable, count - readable, words);
}
#undef STREAMRUN_AVX512
#endif

struct Cutter {
  std::uint32_t* (*find_edges)(const char*, std::size_t, std::uint64_t&, std::uint32_t*);
  void (*emit)(const char*, std::size_t, const std::uint32_t*, std::size_t, Output<std::string>&);
  bool reads_behind;  ///< up to kReadable bytes
};

constexpr Cutter kBaseline{find_edges_baseline, emit_words_baseline, true};
#if defined(__x86_64__)
constexpr Cutter kAvx2{find_edges_avx2, emit_words_baseline, true};
constexpr Cutter kAvx512{find_edges_avx512, emit_words_avx512, false};
#endif

const Cutter& cutter_of(VectorLevel level) {
#if defined(__x86_64__)
  if (level == VectorLevel::avx512) return kAvx512;
  if (level == VectorLevel::avx2) return kAvx2;
#endif
  (void)level;
  return kBaseline;
}

/// `text` is followed by kReadable readable bytes, if the cutter reads them.
void split_readable(std::string_view text, Output<std::string>& words, const Cutter& cutter) {
  Edges edges;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  std::string open_word;  // what a piece ended in the middle of
  std::uint64_t carry = 0;
  for (std::size_t at = 0; at < text.size(); at += kPiece) {
    const char* const piece = text.data() + at;
    const std::size_t size = std::min(kPiece, text.size() - at);
    const std::uint32_t* edge = edges.data();
    const bool was_open = carry != 0;
    const std::uint32_t* end = cutter.find_edges(piece, size, carry, edges.data());
    if (was_open) {
      if (edge == end) {
        open_word.append(piece, size);
        continue;
      }
      open_word.append(piece, *edge++);
      for (char& c : open_word) c = static_cast<char>(c | 0x20);
      words.emit(open_word);
      open_word.clear();
    }
    cutter.emit(piece, size, edge, static_cast<std::size_t>(end - edge), words);
    if ((end - edge) % 2 != 0) open_word.assign(piece + end[-1], size - end[-1]);
  }
  if (open_word.empty()) return;
  for (char& c : open_word) c = static_cast<char>(c | 0x20);
  words.emit(open_word);
}

}  // namespace

void split_words(std::string_view text, Output<std::string>& words, VectorLevel level) {
  const Cutter& cutter = cutter_of(level);
  if (!cutter.reads_behind) return split_readable(text, words, cutter);
  // The last bytes are cut in a copy that has readable bytes behind it, from a place between words.
  std::size_t tail = text.size() < kReadable ? 0 : text.size() - kReadable;
  while (tail > 0 && is_word_character(text[tail - 1])) --tail;
  if (tail > 0) split_readable(text.substr(0, tail), words, cutter);
  const std::string_view rest = text.substr(tail);
  std::array<char, 4 * kReadable> padded;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  if (rest.size() <= padded.size() - kReadable) {
    std::copy(rest.begin(), rest.end(), padded.begin());
    std::fill_n(padded.begin() + static_cast<std::ptrdiff_t>(rest.size()), kReadable, ' ');
    split_readable({padded.data(), rest.size()}, words, cutter);
  } else {
    const std::string copy = std::string(rest) + std::string(kReadable, ' ');
    split_readable({copy.data(), rest.size()}, words, cutter);
  }
}

void split_words_of_batch(const Batch<std::string>& lines, Output<std::string>& words) {
  lines.for_each_text([&](std::string_view text) { split_words(text, words); });
}

}  // namespace streamrun::jobs
