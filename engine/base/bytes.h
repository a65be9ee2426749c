#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace streamrun {

/// Appends values to a byte string. Integers are big-endian, as in Flink's `DataOutput`.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16(std::uint16_t value) { big_endian(__builtin_bswap16(value)); }
  void u32(std::uint32_t value) { big_endian(__builtin_bswap32(value)); }
  void u64(std::uint64_t value) { big_endian(__builtin_bswap64(value)); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  /// LEB128: 7 bits a byte, lowest first.
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      u8(static_cast<std::uint8_t>(value | 0x80U));
      value >>= 7U;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  void raw(std::string_view bytes) { out_.append(bytes); }
  /// A length as varint, then the bytes.
  void text(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  std::string& target() { return out_; }

 private:
  template <typename U>
  void big_endian(U swapped) {
    out_.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
  }
  std::string& out_;
};

/// What `ByteWriter` appends, written to memory that has room for it; each returns the place
/// behind.
inline char* put_u8(char* to, std::uint8_t value) {
  *to = static_cast<char>(value);
  return to + 1;
}
inline char* put_u16(char* to, std::uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}
inline char* put_u32(char* to, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}
inline char* put_u64(char* to, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}
constexpr std::size_t kMostVarintBytes = 10;
inline char* put_varint(char* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) to = put_u8(to, static_cast<std::uint8_t>(value | 0x80U));
  return put_u8(to, static_cast<std::uint8_t>(value));
}
inline char* put_text(char* to, std::string_view bytes) {
  to = put_varint(to, bytes.size());
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

/// Reads what `ByteWriter` wrote, from bytes that may be damaged: after a read past the end, or a
/// length beyond what is left, every value is zero or empty and `failed()` stays true. Check it
/// before the values are used.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed<std::uint8_t>()); }
  std::uint16_t u16() { return __builtin_bswap16(fixed<std::uint16_t>()); }
  std::uint32_t u32() { return __builtin_bswap32(fixed<std::uint32_t>()); }
  std::uint64_t u64() { return __builtin_bswap64(fixed<std::uint64_t>()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::uint64_t varint();
  std::string_view raw(std::size_t length);
  std::string_view text() { return raw(varint()); }

  std::size_t offset() const { return at_; }
  std::size_t remaining() const { return bytes_.size() - at_; }
  bool failed() const { return failed_; }
  bool done() const { return !failed_ && remaining() == 0; }
  void fail() {
    failed_ = true;
    at_ = bytes_.size();
  }

 private:
  template <typename U>
  U fixed() {
    U value = 0;
    if (remaining() < sizeof value) {
      fail();
      return 0;
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

std::string base64_encode(std::string_view bytes);
/// Strict: standard alphabet, padded, nothing else.
Result<std::string> base64_decode(std::string_view text);

}  // namespace streamrun
