#include <streamrun/base/checksum.h>

#include <string>
#include <utility>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("crc32c: agrees with the vectors of RFC 3720", "[base]") {
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283U);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  CHECK(crc32c(ascending) == 0x46dd794eU);
}

TEST_CASE("crc32c: pieces give the checksum of the whole", "[base]") {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
  }
}

TEST_CASE("xxh3: agrees with the published values of the empty input", "[base]") {
  CHECK(xxh3_64("") == 0x2d06800538d394c2ULL);
  CHECK(xxh3_128_hex("") == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("xxh3 stream: pieces of any size give the hash of the whole", "[base]") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 31);
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{256}, std::size_t{4999}}) {
    Xxh3Stream stream;
    for (std::size_t at = 0; at < text.size(); at += piece)
      stream.update(std::string_view(text).substr(at, piece));
    CHECK(stream.hex() == xxh3_128_hex(text));
  }
}

TEST_CASE("xxh3 stream: goes on after it was moved and after its hash was asked for", "[base]") {
  Xxh3Stream first;
  first.update("ab");
  CHECK(first.hex() == xxh3_128_hex("ab"));
  Xxh3Stream second(std::move(first));
  second.update("c");
  CHECK(second.hex() == xxh3_128_hex("abc"));
}

}  // namespace
}  // namespace streamrun
