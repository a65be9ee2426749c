#include <streamrun/types/described_type.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

namespace streamrun {
namespace {

using Json = nlohmann::json;

constexpr int kMostDepth = 64;

void append_json_real(std::string& json, double value) {
  if (std::isnan(value)) {
    json += "\"NaN\"";
  } else if (std::isinf(value)) {
    json += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    json += Json(value).dump();
  }
}

std::uint64_t read_big_endian(ByteReader& in, int bytes) {
  if (bytes == 1) return in.u8();
  if (bytes == 2) return in.u16();
  if (bytes == 4) return in.u32();
  return in.u64();
}

std::int64_t with_sign(std::uint64_t value, int bytes) {
  const int unused = 64 - 8 * bytes;
  return static_cast<std::int64_t>(value << static_cast<unsigned>(unused)) >> unused;
}

}  // namespace

void append_json_string(std::string& json, std::string_view text) {
  json += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// By recursive descent:
///   type = word | word "<" types ">" | word ":" type | ["struct"] "(" types ")"
class DescribedType::Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  bool parse(DescribedType& type) { return parse_type(type, 0) && at_ == name_.size(); }

 private:
  bool take(char c) {
    if (at_ == name_.size() || name_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view take_word() {
    const std::size_t first = at_;
    while (at_ < name_.size() && (std::isalnum(static_cast<unsigned char>(name_[at_])) != 0)) ++at_;
    return name_.substr(first, at_ - first);
  }
  bool parse_type(DescribedType& type, int depth) {
    if (depth > kMostDepth) return false;
    const std::string_view word = take_word();
    if (word.empty() || word == "struct") {
      type.kind_ = Kind::row;
      return take('(') && parse_parts(type, ')', depth);
    }
    if (word == "enum") return take(':') && parse_type(type, depth + 1);
    if (word == "optional") return parse_of(type, Kind::optional, 1, depth);
    if (word == "list") return parse_of(type, Kind::list, 1, depth);
    if (word == "map") return parse_of(type, Kind::map, 2, depth);
    return set_simple(type, word);
  }
  bool parse_of(DescribedType& type, Kind kind, std::size_t parts, int depth) {
    type.kind_ = kind;
    return take('<') && parse_parts(type, '>', depth) && type.parts_.size() == parts;
  }
  bool parse_parts(DescribedType& type, char end, int depth) {
    if (take(end)) return true;
    do {
      if (!parse_type(type.parts_.emplace_back(), depth + 1)) return false;
    } while (take(','));
    return take(end);
  }
  static bool set_simple(DescribedType& type, std::string_view word) {
    struct Simple {
      std::string_view word;
      Kind kind;
      int bytes;
    };
    constexpr Simple kSimple[] = {
        {"bool", Kind::boolean, 1},           {"string", Kind::string, 0},
        {"float32", Kind::real, 4},           {"float64", Kind::real, 8},
        {"int8", Kind::signed_number, 1},     {"int16", Kind::signed_number, 2},
        {"int32", Kind::signed_number, 4},    {"int64", Kind::signed_number, 8},
        {"uint8", Kind::unsigned_number, 1},  {"uint16", Kind::unsigned_number, 2},
        {"uint32", Kind::unsigned_number, 4}, {"uint64", Kind::unsigned_number, 8},
    };
    for (const Simple& each : kSimple) {
      if (each.word != word) continue;
      type.kind_ = each.kind;
      type.bytes_ = each.bytes;
      return true;
    }
    return false;
  }

  std::string_view name_;
  std::size_t at_ = 0;
};

Result<DescribedType> DescribedType::parse(std::string_view name) {
  DescribedType type;
  if (Parser(name).parse(type)) return type;
  return Error{.code = ErrorCode::metadata_version,
               .message = "the snapshot holds values of the type " + std::string(name) +
                          ", which this version can't show",
               .retry = Retry::no};
}

void DescribedType::read_as_json(ByteReader& in, std::string& json) const {
  switch (kind_) {
    case Kind::boolean:
      json += in.u8() != 0 ? "true" : "false";
      return;
    case Kind::signed_number:
      json += std::to_string(with_sign(read_big_endian(in, bytes_), bytes_));
      return;
    case Kind::unsigned_number:
      json += std::to_string(read_big_endian(in, bytes_));
      return;
    case Kind::real:
      return append_json_real(
          json, bytes_ == 4 ? std::bit_cast<float>(in.u32()) : std::bit_cast<double>(in.u64()));
    case Kind::string:
      return append_json_string(json, in.text());
    case Kind::optional:
      if (in.u8() != 0) return parts_[0].read_as_json(in, json);
      json += "null";
      return;
    case Kind::list:
      json += '[';
      for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
        if (in.remaining() == 0) return in.fail();
        parts_[0].read_as_json(in, json);
        if (left > 1) json += ',';
      }
      json += ']';
      return;
    case Kind::map: {
      const bool is_object = parts_[0].is_string();
      json += is_object ? '{' : '[';
      for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
        if (in.remaining() == 0) return in.fail();
        if (!is_object) json += '[';
        parts_[0].read_as_json(in, json);
        json += is_object ? ':' : ',';
        parts_[1].read_as_json(in, json);
        if (!is_object) json += ']';
        if (left > 1) json += ',';
      }
      json += is_object ? '}' : ']';
      return;
    }
    case Kind::row:
      json += '[';
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        if (i > 0) json += ',';
        parts_[i].read_as_json(in, json);
      }
      json += ']';
      return;
  }
}

}  // namespace streamrun
