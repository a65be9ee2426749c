#include "value_walk.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace streamrun {
namespace {

constexpr std::array<std::pair<std::string_view, std::size_t>, 11> kFixed = {{{"bool", 1},
                                                                              {"int8", 1},
                                                                              {"uint8", 1},
                                                                              {"int16", 2},
                                                                              {"uint16", 2},
                                                                              {"int32", 4},
                                                                              {"uint32", 4},
                                                                              {"int64", 8},
                                                                              {"uint64", 8},
                                                                              {"float32", 4},
                                                                              {"float64", 8}}};

/// 0 if it is no number.
std::size_t fixed_bytes_of(std::string_view name) {
  if (name.starts_with("enum:")) name.remove_prefix(5);
  const auto* const found = std::find_if(kFixed.begin(), kFixed.end(),
                                         [&](const auto& entry) { return entry.first == name; });
  return found != kFixed.end() ? found->second : 0;
}

}  // namespace

ValueWalk ValueWalk::over_fixed(std::size_t bytes) {
  ValueWalk walk;
  walk.kind_ = Kind::fixed;
  walk.bytes_ = bytes;
  return walk;
}

ValueWalk ValueWalk::over(const TypeDescriptor& type) {
  ValueWalk walk;
  const std::string_view name = type.name;
  if (type.opening == '\0') {
    walk.serializer_ = type.skip;
    if (const std::size_t bytes = fixed_bytes_of(name)) return over_fixed(bytes);
    if (name == "string" || name == "bytes") {
      walk.kind_ = Kind::text;
    } else if (type.skip != nullptr) {
      walk.kind_ = Kind::by_serializer;
    }
    return walk;
  }
  const std::size_t count = type.parts.size();
  if (type.opening == '<' && name == "optional" && count == 1) {
    walk.kind_ = Kind::optional;
  } else if (type.opening == '<' &&
             ((name == "list" && count == 1) || (name == "map" && count == 2))) {
    walk.kind_ = Kind::many;
  } else if (type.opening == '<' && name == "ttl" && count == 1) {
    walk.kind_ = Kind::sequence;
    walk.parts_.push_back(over_fixed(8));
  } else if ((type.opening == '(' && (name.empty() || name == "struct")) ||
             (type.opening == '{' && name == "record")) {
    walk.kind_ = Kind::sequence;
  }
  for (const TypeDescriptor::Part& part : type.parts) walk.parts_.push_back(over(part.type));
  return walk;
}

bool ValueWalk::is_known() const {
  return kind_ != Kind::unknown &&
         std::all_of(parts_.begin(), parts_.end(),
                     [](const ValueWalk& part) { return part.is_known(); });
}

void ValueWalk::skip(ByteReader& in) const {
  switch (kind_) {
    case Kind::unknown:
      return in.fail();
    case Kind::fixed:
      in.raw(bytes_);
      return;
    case Kind::text:
      in.text();
      return;
    case Kind::optional:
      if (in.u8() != 0) parts_[0].skip(in);
      return;
    case Kind::many:
      return skip_many(in);
    case Kind::sequence:
      for (const ValueWalk& part : parts_) part.skip(in);
      return;
    case Kind::by_serializer:
      return serializer_(in);
  }
}

void ValueWalk::skip_many(ByteReader& in) const {
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    const std::size_t before = in.offset();
    for (const ValueWalk& part : parts_) part.skip(in);
    if (in.offset() == before) in.fail();  // a count alone bounds nothing
  }
}

}  // namespace streamrun
