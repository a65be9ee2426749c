#include <streamrun/base/java_hash.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace streamrun {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

/// Length of the well-formed sequence at the front of `text` and its code point; 0 when there is
/// none.
unsigned decode(std::string_view text, std::uint32_t& code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (byte(i) & 0xc0U) == 0x80U;
  };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  if (lead >= 0xc2 && lead < 0xe0 && continues(1)) {
    code_point = (lead & 0x1fU) << 6U | (byte(1) & 0x3fU);
    return 2;
  }
  if (lead >= 0xe0 && lead < 0xf0 && continues(1) && continues(2)) {
    code_point = (lead & 0xfU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU);
    return code_point >= 0x800 && (code_point < 0xd800 || code_point > 0xdfff) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5 && continues(1) && continues(2) && continues(3)) {
    code_point =
        (lead & 7U) << 18U | (byte(1) & 0x3fU) << 12U | (byte(2) & 0x3fU) << 6U | (byte(3) & 0x3fU);
    return code_point >= 0x10000 && code_point <= 0x10ffff ? 4 : 0;
  }
  return 0;
}

std::uint32_t hash_unicode(std::string_view utf8, std::uint32_t hash) {
  while (!utf8.empty()) {
    std::uint32_t code_point = 0;
    unsigned length = decode(utf8, code_point);
    if (length == 0) {
      code_point = kReplacement;
      length = 1;
    }
    if (code_point >= 0x10000) {
      hash = hash * 31 + (0xd800U + ((code_point - 0x10000U) >> 10U));
      hash = hash * 31 + (0xdc00U + ((code_point - 0x10000U) & 0x3ffU));
    } else {
      hash = hash * 31 + code_point;
    }
    utf8.remove_prefix(length);
  }
  return hash;
}

}  // namespace

std::uint32_t java_hash(std::string_view utf8) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  std::uint32_t hash = 0;
  std::size_t at = 0;
  for (; at + 8 <= utf8.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, utf8.data() + at, 8);
    if ((word & kHighBits) != 0) return hash_unicode(utf8.substr(at), hash);
    for (unsigned i = 0; i < 8; ++i) hash = hash * 31 + static_cast<std::uint8_t>(word >> (8 * i));
  }
  for (; at < utf8.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(utf8[at]);
    if (byte >= 0x80) return hash_unicode(utf8.substr(at), hash);
    hash = hash * 31 + byte;
  }
  return hash;
}

std::uint32_t java_hash(float value) {
  return std::isnan(value) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(value);
}

std::uint32_t java_hash(double value) {
  const auto bits = std::isnan(value) ? 0x7ff8000000000000ULL : std::bit_cast<std::uint64_t>(value);
  return java_hash(static_cast<std::int64_t>(bits));
}

}  // namespace streamrun
