#include "words.h"

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamrun::jobs {
namespace {

constexpr std::size_t kChunk = 64;

#if defined(__SSE2__)
std::uint32_t word_mask16(const char* text) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  const auto within = [](__m128i value, char first, char last) {
    // Signed comparison: bytes from 0x80 up are negative and so below any letter.
    return _mm_and_si128(_mm_cmpgt_epi8(value, _mm_set1_epi8(static_cast<char>(first - 1))),
                         _mm_cmplt_epi8(value, _mm_set1_epi8(static_cast<char>(last + 1))));
  };
  const __m128i letters = within(lower, 'a', 'z');
  const __m128i digits = within(bytes, '0', '9');
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(letters, digits)));
}

/// One bit per byte of the 64 at `text`: part of a word.
std::uint64_t word_mask(const char* text) {
  return static_cast<std::uint64_t>(word_mask16(text)) |
         static_cast<std::uint64_t>(word_mask16(text + 16)) << 16U |
         static_cast<std::uint64_t>(word_mask16(text + 32)) << 32U |
         static_cast<std::uint64_t>(word_mask16(text + 48)) << 48U;
}
#else
bool is_word_character(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

std::uint64_t word_mask(const char* text) {
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < kChunk; ++i) {
    mask |= static_cast<std::uint64_t>(is_word_character(text[i]) ? 1 : 0) << i;
  }
  return mask;
}
#endif

/// The first `size` (at most 15) of the 16 readable bytes at `text`, in lower case. Digits have bit
/// 0x20 set already.
SmallString short_word(const char* text, std::size_t size) {
  SmallString slot;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, text, 8);
  std::memcpy(&high, text + 8, 8);
  constexpr std::uint64_t kLower = 0x2020202020202020ULL;
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const std::size_t bits = 8 * size;
  const std::uint64_t keep_low = bits >= 64 ? kAll : (std::uint64_t{1} << bits) - 1;
  const std::uint64_t keep_high = bits > 64 ? (std::uint64_t{1} << (bits - 64)) - 1 : 0;
  low = (low | kLower) & keep_low;
  high = ((high | kLower) & keep_high) | static_cast<std::uint64_t>(size) << 56U;
  std::memcpy(slot.raw(), &low, 8);
  std::memcpy(slot.raw() + 8, &high, 8);
  return slot;
}

void emit_long_word(std::string_view word, Output<std::string>& words) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(c | 0x20);
  words.emit(lower);
}

/// `readable`: bytes that may be read from the word's start on.
void emit_word(const char* word, std::size_t size, std::size_t readable,
               Output<std::string>& words) {
  if (size > SmallString::kInlineLimit) return emit_long_word({word, size}, words);
  if (readable >= 16) {
    words.batch().append_short(short_word(word, size));
  } else {
    char padded[16] = {};
    std::memcpy(padded, word, size);
    words.batch().append_short(short_word(padded, size));
  }
  words.flush_if_full();
}

}  // namespace

void split_words(std::string_view text, Output<std::string>& words) {
  const char* const end = text.data() + text.size();
  const char* start = nullptr;  // of the word that the last chunk left open
  std::uint64_t carry = 0;
  for (std::size_t at = 0; at < text.size(); at += kChunk) {
    const char* chunk = text.data() + at;
    char padded[kChunk] = {};
    if (text.size() - at < kChunk) {
      std::memcpy(padded, chunk, text.size() - at);
      chunk = padded;
    }
    const std::uint64_t mask = word_mask(chunk);
    // A one wherever a word begins or ends.
    std::uint64_t edges = mask ^ (mask << 1U | carry);
    carry = mask >> 63U;
    while (edges != 0) {
      const char* const edge = text.data() + at + std::countr_zero(edges);
      edges &= edges - 1;
      if (start == nullptr) {
        start = edge;
      } else {
        emit_word(start, static_cast<std::size_t>(edge - start),
                  static_cast<std::size_t>(end - start), words);
        start = nullptr;
      }
    }
  }
  if (start != nullptr) {
    emit_word(start, static_cast<std::size_t>(end - start), static_cast<std::size_t>(end - start),
              words);
  }
}

void split_words_of_batch(const Batch<std::string>& lines, Output<std::string>& words) {
  lines.for_each_text([&](std::string_view text) { split_words(text, words); });
}

}  // namespace streamrun::jobs
