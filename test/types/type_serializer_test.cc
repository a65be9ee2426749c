#include <streamrun/types/type_serializer.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <catch2/catch.hpp>

#include "sample_types.h"

namespace streamrun {
namespace {

struct Nothing {
  bool operator==(const Nothing&) const = default;
};
struct One {
  std::string only;
  bool operator==(const One&) const = default;
};
struct Twelve {
  std::int8_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10, k = 11, l = 12;
  bool operator==(const Twelve&) const = default;
};

/// A type whose serializer can only append.
class Opaque {
 public:
  std::int64_t number = 0;
  bool operator==(const Opaque&) const = default;

 private:
  std::int64_t hidden_ = 0;
};

}  // namespace

template <>
struct TypeSerializer<Opaque> {
  static std::string type_name() { return "opaque"; }
  static void write(ByteWriter& out, const Opaque& value) { out.i64(value.number); }
  static void read(ByteReader& in, Opaque& value) { value.number = in.i64(); }
};

namespace {

template <typename T>
void check_round_trip(const T& value) {
  const std::string bytes = to_bytes(value);
  const Result<T> read = from_bytes<T>(bytes);
  REQUIRE(read);
  CHECK(*read == value);
  if constexpr (PutSerializable<T>) {
    std::string put(TypeSerializer<T>::most_bytes(value), '?');
    REQUIRE(put.size() >= bytes.size());
    const char* const end = TypeSerializer<T>::put(put.data(), value);
    CHECK(put.substr(0, static_cast<std::size_t>(end - put.data())) == bytes);
  }
}

static_assert(PutSerializable<Twelve> && PutSerializable<One> && PutSerializable<Point>);
static_assert(PutSerializable<std::tuple<bool, float, std::optional<Colour>>>);
static_assert(PutSerializable<std::pair<std::string, double>>);
static_assert(PutSerializable<Everything> && PutSerializable<std::vector<std::vector<bool>>>);
static_assert(PutSerializable<std::unordered_map<std::string, std::map<int, double>>>);
static_assert(!PutSerializable<Opaque> && !PutSerializable<std::vector<Opaque>>);
static_assert(!PutSerializable<std::map<int, Opaque>>);

template <typename T>
void check_limits() {
  for (const T value : {std::numeric_limits<T>::min(), T(0), T(1), std::numeric_limits<T>::max()}) {
    check_round_trip(value);
  }
  CHECK(to_bytes(T(1)).size() == sizeof(T));
}

TEST_CASE("type serializer: integers come back at their limits, in their own width", "[types]") {
  check_limits<std::int8_t>();
  check_limits<std::uint8_t>();
  check_limits<std::int16_t>();
  check_limits<std::uint16_t>();
  check_limits<std::int32_t>();
  check_limits<std::uint32_t>();
  check_limits<std::int64_t>();
  check_limits<std::uint64_t>();
  check_round_trip(true);
  check_round_trip(false);
  check_round_trip('x');
}

TEST_CASE("type serializer: numbers are big-endian, as Flink writes them", "[types]") {
  CHECK(to_bytes(std::int32_t{0x01020304}) == std::string("\1\2\3\4"));
  CHECK(to_bytes(std::int64_t{-2}) == "\xff\xff\xff\xff\xff\xff\xff\xfe");
  CHECK(to_bytes(1.0) == std::string("\x3f\xf0\0\0\0\0\0\0", 8));
}

TEST_CASE("type serializer: reals come back bit by bit", "[types]") {
  for (const double value : {0.0, 1.5, -2.25, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::denorm_min()}) {
    check_round_trip(value);
    check_round_trip(static_cast<float>(value));
  }
  CHECK(std::signbit(*from_bytes<double>(to_bytes(-0.0))));
  CHECK(std::isnan(*from_bytes<double>(to_bytes(std::numeric_limits<double>::quiet_NaN()))));
  // They are one key, so they are the same bytes.
  CHECK(to_bytes(-std::numeric_limits<double>::quiet_NaN()) ==
        to_bytes(std::numeric_limits<double>::quiet_NaN()));
  CHECK(to_bytes(-std::numeric_limits<float>::quiet_NaN()) ==
        to_bytes(std::numeric_limits<float>::quiet_NaN()));
}

TEST_CASE("type serializer: texts keep every byte", "[types]") {
  for (const std::size_t length : {0, 1, 15, 16, 127, 128, 100000}) {
    std::string text(length, '\0');
    for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>(i * 37);
    check_round_trip(text);
  }
}

TEST_CASE("type serializer: containers come back, empty and nested", "[types]") {
  check_round_trip(std::optional<std::string>());
  check_round_trip(std::optional<std::string>("here"));
  check_round_trip(std::vector<std::string>{});
  check_round_trip(std::vector<std::string>{"", "a", "bc"});
  check_round_trip(std::vector<std::vector<std::int16_t>>{{}, {1}, {2, 3}});
  check_round_trip(
      std::map<std::string, std::map<std::int32_t, bool>>{{"x", {{1, true}}}, {"y", {}}});
  check_round_trip(std::pair<std::string, std::optional<Point>>{"p", Point{1, 2}});
  check_round_trip(std::tuple<>());
  check_round_trip(Colour::green);
}

TEST_CASE("type serializer: vectors of bool and of bytes come back", "[types]") {
  check_round_trip(std::vector<bool>{});
  check_round_trip(std::vector<bool>{true, false, true});
  check_round_trip(std::vector<std::byte>{});
  std::vector<std::byte> bytes(1000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37);
  check_round_trip(bytes);
  CHECK(to_bytes(std::vector<std::byte>{std::byte{7}}) == "\1\7");
}

TEST_CASE("type serializer: elements that can only be appended come back too", "[types]") {
  Opaque seven;
  seven.number = 7;
  check_round_trip(std::optional<Opaque>(seven));
  check_round_trip(std::vector<Opaque>{seven, Opaque()});
  check_round_trip(std::map<std::int32_t, Opaque>{{1, seven}});
  check_round_trip(std::pair<Opaque, std::string>{seven, "x"});
}

TEST_CASE("type serializer: an unordered map has the bytes of the ordered one", "[types]") {
  std::unordered_map<std::string, std::int32_t> unordered;
  std::map<std::string, std::int32_t> ordered;
  check_round_trip(unordered);
  for (std::int32_t i = 0; i < 1000; ++i) {
    unordered[std::to_string(i * 7919 % 1000)] = i;
    ordered[std::to_string(i * 7919 % 1000)] = i;
  }
  check_round_trip(unordered);
  CHECK(to_bytes(unordered) == to_bytes(ordered));
  CHECK(from_bytes<std::map<std::string, std::int32_t>>(to_bytes(unordered)).value() == ordered);
  CHECK(TypeSerializer<decltype(unordered)>::type_name() ==
        TypeSerializer<decltype(ordered)>::type_name());
}

TEST_CASE("type serializer: plain structs come back with all that they hold", "[types]") {
  check_round_trip(Nothing());
  check_round_trip(One{"only"});
  check_round_trip(Twelve());
  check_round_trip(Point{-1, 1});
  check_round_trip(Everything());
  check_round_trip(sample());
}

TEST_CASE("type serializer: a plain struct's bytes are those of its fields in order", "[types]") {
  CHECK(to_bytes(Point{1, 2}) == to_bytes(std::int32_t{1}) + to_bytes(std::int32_t{2}));
}

TEST_CASE("type serializer: reading replaces what was in the value", "[types]") {
  Everything value = sample();
  const std::string bytes = to_bytes(Everything());
  ByteReader in(bytes);
  TypeSerializer<Everything>::read(in, value);
  CHECK(in.done());
  CHECK(value == Everything());
}

TEST_CASE("type serializer: type names tell types apart", "[types]") {
  CHECK(TypeSerializer<std::int64_t>::type_name() == "int64");
  CHECK(TypeSerializer<std::uint8_t>::type_name() == "uint8");
  CHECK(TypeSerializer<bool>::type_name() == "bool");
  CHECK(TypeSerializer<float>::type_name() == "float32");
  CHECK(TypeSerializer<double>::type_name() == "float64");
  CHECK(TypeSerializer<std::string>::type_name() == "string");
  CHECK(TypeSerializer<Colour>::type_name() == "enum:uint8");
  CHECK(TypeSerializer<Point>::type_name() == "struct(int32,int32)");
  CHECK(TypeSerializer<std::pair<bool, Point>>::type_name() == "(bool,struct(int32,int32))");
  CHECK(TypeSerializer<std::tuple<std::string, std::int8_t>>::type_name() == "(string,int8)");
  CHECK(TypeSerializer<std::optional<std::string>>::type_name() == "optional<string>");
  CHECK(TypeSerializer<std::map<std::string, std::vector<double>>>::type_name() ==
        "map<string,list<float64>>");
  CHECK(TypeSerializer<std::vector<std::byte>>::type_name() == "bytes");
}

}  // namespace
}  // namespace streamrun
