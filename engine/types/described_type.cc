#include <streamrun/types/described_type.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

namespace streamrun {
namespace {

using Json = nlohmann::json;

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

bool DescribedType::describe_simple(std::string_view name) {
  struct Simple {
    std::string_view name;
    Kind kind;
    int bytes;
  };
  constexpr std::array<Simple, 13> kSimple = {{
      {"bool", Kind::boolean, 1},
      {"string", Kind::string, 0},
      {"bytes", Kind::bytes, 0},
      {"float32", Kind::real, 4},
      {"float64", Kind::real, 8},
      {"int8", Kind::signed_number, 1},
      {"int16", Kind::signed_number, 2},
      {"int32", Kind::signed_number, 4},
      {"int64", Kind::signed_number, 8},
      {"uint8", Kind::unsigned_number, 1},
      {"uint16", Kind::unsigned_number, 2},
      {"uint32", Kind::unsigned_number, 4},
      {"uint64", Kind::unsigned_number, 8},
  }};
  if (name.starts_with("enum:")) name.remove_prefix(5);
  const auto* const found = std::find_if(kSimple.begin(), kSimple.end(),
                                         [&](const Simple& each) { return each.name == name; });
  if (found == kSimple.end()) return false;
  kind_ = found->kind;
  number_bytes_ = found->bytes;
  return true;
}

bool DescribedType::describe_generic(std::string_view name) {
  struct Generic {
    std::string_view name;
    Kind kind;
    std::size_t parts;
  };
  constexpr std::array<Generic, 4> kGeneric = {{{"optional", Kind::optional, 1},
                                                {"list", Kind::list, 1},
                                                {"map", Kind::map, 2},
                                                {"ttl", Kind::with_ttl, 1}}};
  const auto* const found = std::find_if(kGeneric.begin(), kGeneric.end(),
                                         [&](const Generic& each) { return each.name == name; });
  if (found == kGeneric.end() || parts_.size() != found->parts) return false;
  kind_ = found->kind;
  return true;
}

bool DescribedType::describe(const TypeDescriptor& from, DescribedType& type) {
  for (const TypeDescriptor::Part& part : from.parts) {
    if (!describe(part.type, type.parts_.emplace_back())) return false;
    if (!part.field.empty()) type.fields_.push_back(part.field);
  }
  if (from.opening == '\0') return type.describe_simple(from.name);
  if (from.opening == '<') return type.describe_generic(from.name);
  return from.opening == '{' ? from.name == "record" : from.name.empty() || from.name == "struct";
}

Result<DescribedType> DescribedType::parse(std::string_view name) {
  DescribedType type;
  const std::optional<TypeDescriptor> parsed = TypeDescriptor::parse(name);
  if (parsed && describe(*parsed, type)) return type;
  return Error{.code = ErrorCode::metadata_version,
               .message = "the snapshot holds values of the type " + std::string(name) +
                          ", which this version can't show",
               .retry = Retry::no};
}

void DescribedType::read_many_as_json(ByteReader& in, std::string& json) const {
  const bool is_map = kind_ == Kind::map;
  const bool is_object = is_map && parts_[0].kind_ == Kind::string;
  json += is_object ? '{' : '[';
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::size_t before = in.offset();
    if (is_map && !is_object) json += '[';
    parts_[0].read_as_json(in, json);
    if (is_map) {
      json += is_object ? ':' : ',';
      parts_[1].read_as_json(in, json);
      if (!is_object) json += ']';
    }
    if (left > 1) json += ',';
    if (in.offset() == before) in.fail();  // a count alone bounds nothing
  }
  json += is_object ? '}' : ']';
}

void DescribedType::read_as_json(ByteReader& in, std::string& json) const {
  switch (kind_) {
    case Kind::boolean:
      json += in.u8() != 0 ? "true" : "false";
      return;
    case Kind::signed_number:
      json += std::to_string(with_sign(read_big_endian(in, number_bytes_), number_bytes_));
      return;
    case Kind::unsigned_number:
      json += std::to_string(read_big_endian(in, number_bytes_));
      return;
    case Kind::real:
      return append_json_real(json, number_bytes_ == 4 ? std::bit_cast<float>(in.u32())
                                                       : std::bit_cast<double>(in.u64()));
    case Kind::string:
      return append_json_string(json, in.text());
    case Kind::bytes:
      return append_json_string(json, base64_encode(in.text()));
    case Kind::optional:
      if (in.u8() != 0) return parts_[0].read_as_json(in, json);
      json += "null";
      return;
    case Kind::list:
    case Kind::map:
      return read_many_as_json(in, json);
    case Kind::with_ttl:
      json += R"({"last_access_ms":)" + std::to_string(in.i64()) + R"(,"value":)";
      parts_[0].read_as_json(in, json);
      json += '}';
      return;
    case Kind::row:
      break;
  }
  const bool is_object = !fields_.empty();
  json += is_object ? '{' : '[';
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (i > 0) json += ',';
    if (is_object) {
      append_json_string(json, fields_[i]);
      json += ':';
    }
    parts_[i].read_as_json(in, json);
  }
  json += is_object ? '}' : ']';
}

}  // namespace streamrun
