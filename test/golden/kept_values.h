#pragma once

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

namespace streamrun::golden {

/// Values of every type that has a serializer, as the job `kinds` keeps them.

enum class Colour : std::int16_t { red, green = 7, blue = -1000 };

/// A struct without names for its fields.
struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool operator==(const Point&) const = default;
};

/// One that names them; a later version may have more.
struct Visit {
  std::int64_t count = 0;
  std::string page;
  bool operator==(const Visit&) const = default;

  static auto fields() {
    return named_fields(field("count", &Visit::count), field("page", &Visit::page, "/"));
  }
};

struct Everything {
  bool flag = false;
  std::int8_t int8 = 0;
  std::uint8_t uint8 = 0;
  std::int16_t int16 = 0;
  std::uint16_t uint16 = 0;
  std::int32_t int32 = 0;
  std::uint32_t uint32 = 0;
  std::int64_t int64 = 0;
  std::uint64_t uint64 = 0;
  float float32 = 0;
  double float64 = 0;
  Colour colour = Colour::red;
  std::string text;
  std::vector<std::byte> bytes;
  std::optional<std::int64_t> some;
  std::optional<std::string> none;
  std::vector<std::int32_t> list;
  std::vector<bool> flags;
  std::map<std::string, std::int64_t> sorted;
  std::unordered_map<std::int32_t, std::string> unsorted;
  std::pair<std::int32_t, std::string> pair;
  std::tuple<std::int8_t, double, std::string> tuple;
  Point point;
  std::vector<Visit> visits;
  bool operator==(const Everything&) const = default;

  static auto fields() {
    return named_fields(
        field("flag", &Everything::flag), field("int8", &Everything::int8),
        field("uint8", &Everything::uint8), field("int16", &Everything::int16),
        field("uint16", &Everything::uint16), field("int32", &Everything::int32),
        field("uint32", &Everything::uint32), field("int64", &Everything::int64),
        field("uint64", &Everything::uint64), field("float32", &Everything::float32),
        field("float64", &Everything::float64), field("colour", &Everything::colour),
        field("text", &Everything::text), field("bytes", &Everything::bytes),
        field("some", &Everything::some), field("none", &Everything::none),
        field("list", &Everything::list), field("flags", &Everything::flags),
        field("sorted", &Everything::sorted), field("unsorted", &Everything::unsorted),
        field("pair", &Everything::pair), field("tuple", &Everything::tuple),
        field("point", &Everything::point), field("visits", &Everything::visits));
  }
};

/// All of it from one number, with something at both ends of what a type holds.
inline Everything everything_of(std::int64_t number) {
  const bool is_odd = number % 2 != 0;
  const auto small = static_cast<std::int8_t>(number % 100);
  const std::string text = "text " + std::to_string(number) + (is_odd ? " \"ü\"\n" : "");
  return {.flag = is_odd,
          .int8 = static_cast<std::int8_t>(-small),
          .uint8 = static_cast<std::uint8_t>(255 - small),
          .int16 = static_cast<std::int16_t>(-32768 + small),
          .uint16 = static_cast<std::uint16_t>(65535 - small),
          .int32 = -2147483647 + static_cast<std::int32_t>(number),
          .uint32 = 4294967295U - static_cast<std::uint32_t>(number),
          .int64 = is_odd ? -number : number,
          .uint64 = 18446744073709551615ULL - static_cast<std::uint64_t>(number),
          .float32 = static_cast<float>(number) / 4,
          .float64 = -static_cast<double>(number) / 3,
          .colour = is_odd ? Colour::blue : Colour::green,
          .text = text,
          .bytes = {std::byte{0}, std::byte{0xff}, std::byte{static_cast<std::uint8_t>(small)}},
          .some = number,
          .none = is_odd ? std::optional<std::string>("some") : std::nullopt,
          .list = {1, small, -1},
          .flags = {true, is_odd, false},
          .sorted = {{"a", number}, {"b", -number}},
          .unsorted = {{2, text}, {1, "one"}, {small, "small"}},
          .pair = {small, "pair"},
          .tuple = {small, 0.5, "tuple"},
          .point = {.x = small, .y = -small},
          .visits = {{.count = number, .page = "/a"}, {.count = 1, .page = text}}};
}

/// A type with a serializer of its own.
struct Money {
  std::int64_t cents = 0;
  std::string currency;
};

}  // namespace streamrun::golden

namespace streamrun {

template <>
struct TypeSerializer<golden::Money> {
  static std::string type_name() { return "money@1"; }
  static void write(ByteWriter& out, const golden::Money& money) {
    out.text(money.currency);
    out.i64(money.cents);
  }
  static void read(ByteReader& in, golden::Money& money) {
    money.currency = in.text();
    money.cents = in.i64();
  }
};

}  // namespace streamrun
