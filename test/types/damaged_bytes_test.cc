#include <streamrun/types/type_serializer.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sample_types.h"

namespace streamrun {
namespace {

template <typename T>
void check_every_cut(const T& value) {
  const std::string bytes = to_bytes(value);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("cut to " << length << " of " << bytes.size());
    // Bytes of their own, so that a sanitizer sees a read past the end.
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    const Result<T> read = from_bytes<T>({cut.data(), cut.size()});
    REQUIRE_FALSE(read);
    REQUIRE(read.error().code == ErrorCode::state_corrupt);
  }
}

TEST_CASE("damaged bytes: every cut is an error", "[types]") {
  check_every_cut(std::int64_t{1});
  check_every_cut(2.5);
  check_every_cut(std::string(300, 'x'));
  check_every_cut(std::vector<std::int32_t>{1, 2, 3});
  check_every_cut(std::map<std::string, std::int32_t>{{"a", 1}, {"b", 2}});
  check_every_cut(std::unordered_map<std::string, std::int32_t>{{"a", 1}, {"b", 2}});
  check_every_cut(std::vector<bool>{true, false});
  check_every_cut(std::vector<std::byte>(300, std::byte{1}));
  check_every_cut(Colour::blue);
  check_every_cut(1.5F);
  check_every_cut(std::pair<std::string, std::int16_t>{"a", 1});
  check_every_cut(std::tuple<bool, std::vector<std::string>>{true, {"a", "b"}});
  check_every_cut(std::optional<Point>(Point{1, 2}));
  check_every_cut(sample());
}

TEST_CASE("damaged bytes: one byte too many is an error", "[types]") {
  CHECK_FALSE(from_bytes<std::int64_t>(to_bytes(std::int64_t{1}) + "x"));
  CHECK_FALSE(from_bytes<Everything>(to_bytes(sample()) + std::string(1, '\0')));
}

TEST_CASE("damaged bytes: every flipped bit is a value or an error, never worse", "[types]") {
  const std::string bytes = to_bytes(sample());
  std::size_t errors = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] =
        static_cast<char>(static_cast<std::uint8_t>(damaged[bit / 8]) ^ 1U << bit % 8);
    if (const Result<Everything> read = from_bytes<Everything>(damaged); !read) ++errors;
  }
  CHECK(errors > 0);
  CHECK(errors < 8 * bytes.size());
}

TEST_CASE("damaged bytes: a huge count allocates nothing and ends at once", "[types]") {
  std::string bytes;
  ByteWriter(bytes).varint(~std::uint64_t{0});
  CHECK_FALSE(from_bytes<std::string>(bytes));
  CHECK_FALSE(from_bytes<std::vector<std::int64_t>>(bytes));
  CHECK_FALSE((from_bytes<std::map<std::int64_t, std::string>>(bytes)));
  CHECK_FALSE((from_bytes<std::unordered_map<std::int64_t, std::string>>(bytes)));
  CHECK_FALSE(from_bytes<std::vector<bool>>(bytes));
  CHECK_FALSE(from_bytes<std::vector<std::byte>>(bytes));
  CHECK_FALSE(from_bytes<std::vector<std::vector<std::string>>>(bytes + "\1\1"));
}

TEST_CASE("damaged bytes: what was read before a huge count is all that is kept", "[types]") {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(std::uint64_t{1} << 40U);
  out.u8(1);
  ByteReader in(bytes);
  std::vector<std::int8_t> value;
  TypeSerializer<std::vector<std::int8_t>>::read(in, value);
  CHECK(in.failed());
  CHECK(value.capacity() < 16);
}

}  // namespace
}  // namespace streamrun
