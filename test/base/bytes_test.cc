#include <streamrun/base/bytes.h>

#include <cstdint>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

TEST_CASE("byte writer: integers are big-endian", "[base]") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0fULL);
  writer.i64(-2);
  CHECK(hex(bytes) == "0102030405060708090a0b0c0d0e0ffffffffffffffffe");
}

TEST_CASE("byte writer: a varint is LEB128", "[base]") {
  const auto [value, expected] = GENERATE(table<std::uint64_t, std::string>({
      {0, "00"},
      {127, "7f"},
      {128, "8001"},
      {300, "ac02"},
      {std::numeric_limits<std::uint64_t>::max(), "ffffffffffffffffff01"},
  }));
  std::string bytes;
  ByteWriter(bytes).varint(value);
  CHECK(hex(bytes) == expected);
  ByteReader reader(bytes);
  CHECK(reader.varint() == value);
  CHECK(reader.done());
}

TEST_CASE("byte reader: returns what the writer was given", "[base]") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(250);
  writer.u16(65000);
  writer.u32(4'000'000'000U);
  writer.i64(std::numeric_limits<std::int64_t>::min());
  writer.text(std::string_view("a\0b", 3));
  writer.raw("tail");

  ByteReader reader(bytes);
  CHECK(reader.u8() == 250);
  CHECK(reader.u16() == 65000);
  CHECK(reader.u32() == 4'000'000'000U);
  CHECK(reader.i64() == std::numeric_limits<std::int64_t>::min());
  CHECK(reader.text() == std::string_view("a\0b", 3));
  CHECK_FALSE(reader.done());
  CHECK(reader.raw(4) == "tail");
  CHECK(reader.done());
}

TEST_CASE("byte reader: a cut at any byte is noticed", "[base]") {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u64(7);
  writer.text("hello");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ByteReader reader(std::string_view(bytes).substr(0, length));
    reader.u64();
    CHECK(reader.text().empty());
    CHECK(reader.failed());
    CHECK_FALSE(reader.done());
  }
}

TEST_CASE("byte reader: after a failure everything is zero or empty", "[base]") {
  ByteReader reader("\x01\x02");
  CHECK(reader.u32() == 0);
  CHECK(reader.failed());
  CHECK(reader.remaining() == 0);
  CHECK(reader.u8() == 0);
  CHECK(reader.varint() == 0);
  CHECK(reader.text().empty());
}

TEST_CASE("byte reader: a length beyond the end fails and reads nothing", "[base]") {
  std::string bytes;
  ByteWriter(bytes).varint(std::numeric_limits<std::uint64_t>::max());
  ByteReader reader(bytes);
  CHECK(reader.text().empty());
  CHECK(reader.failed());
}

TEST_CASE("byte reader: a varint of more than 64 bits is refused", "[base]") {
  const auto* bytes = GENERATE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                               "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  ByteReader reader(bytes);
  CHECK(reader.varint() == 0);
  CHECK(reader.failed());
}

TEST_CASE("base64: encodes the vectors of RFC 4648 and decodes them back", "[base]") {
  const auto [plain, encoded] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xfe", "+//+"},
  }));
  CHECK(base64_encode(plain) == encoded);
  CHECK(base64_decode(encoded).value() == plain);
}

TEST_CASE("base64: anything but its one form is an error", "[base]") {
  const std::string text = GENERATE("Z", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-_",
                                    "Zh==", "Zm9=", " Zg=", "Zg=a");
  const Result<std::string> decoded = base64_decode(text);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == ErrorCode::metadata_corrupt);
}

}  // namespace
}  // namespace streamrun
