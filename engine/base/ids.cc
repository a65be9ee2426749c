#include <streamrun/base/ids.h>

#include <cstring>

namespace streamrun {
namespace {

constexpr std::uint64_t rotate_left(std::uint64_t value, int bits) {
  return (value << bits) | (value >> (64 - bits));
}

constexpr std::uint64_t final_mix(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  value ^= value >> 33;
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string hex_of(const std::array<std::uint8_t, 16>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

Result<std::array<std::uint8_t, 16>> parse_hex128(std::string_view text, std::string_view what) {
  std::array<std::uint8_t, 16> bytes{};
  bool good = text.size() == 32;
  for (std::size_t i = 0; good && i < 16; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!good) {
    return Error{.code = ErrorCode::usage,
                 .message = "cannot read a " + std::string(what) + " from \"" +
                            std::string(text.substr(0, 64)) +
                            "\": expected 32 hex digits, such as fd72014d4c864993a2e5a9287b4a9c5d"};
  }
  return bytes;
}

Result<JobId> parse_job_id(std::string_view text) {
  return JobId(SR_TRY(parse_hex128(text, "job id")));
}

// MurmurHash3 x64 128 by Austin Appleby (public domain), as Guava's and Flink's
// `hasher.putString(uid, UTF_8)`.
OperatorId operator_id_of(std::string_view uid) {
  constexpr std::uint64_t kC1 = 0x87c37b91114253d5ULL;
  constexpr std::uint64_t kC2 = 0x4cf5ad432745937fULL;
  std::uint64_t h1 = 0;
  std::uint64_t h2 = 0;
  const auto mix_k1 = [](std::uint64_t k) { return rotate_left(k * kC1, 31) * kC2; };
  const auto mix_k2 = [](std::uint64_t k) { return rotate_left(k * kC2, 33) * kC1; };
  std::size_t at = 0;
  for (; at + 16 <= uid.size(); at += 16) {
    std::uint64_t k1 = 0;
    std::uint64_t k2 = 0;
    std::memcpy(&k1, uid.data() + at, 8);
    std::memcpy(&k2, uid.data() + at + 8, 8);
    h1 = (rotate_left(h1 ^ mix_k1(k1), 27) + h2) * 5 + 0x52dce729;
    h2 = (rotate_left(h2 ^ mix_k2(k2), 31) + h1) * 5 + 0x38495ab5;
  }
  std::array<char, 16> tail{};
  uid.substr(at).copy(tail.data(), tail.size());
  std::uint64_t k1 = 0;
  std::uint64_t k2 = 0;
  std::memcpy(&k1, tail.data(), 8);
  std::memcpy(&k2, tail.data() + 8, 8);
  h2 ^= mix_k2(k2);
  h1 ^= mix_k1(k1);
  h1 ^= uid.size();
  h2 ^= uid.size();
  h1 += h2;
  h2 += h1;
  h1 = final_mix(h1);
  h2 = final_mix(h2);
  h1 += h2;
  h2 += h1;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &h1, 8);
  std::memcpy(bytes.data() + 8, &h2, 8);
  return OperatorId(bytes);
}

}  // namespace streamrun
