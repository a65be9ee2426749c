#pragma once

#include <streamrun/base/bytes.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// A type name as a tree, so that two of them can be compared part by part. Its text is what
/// snapshots record:
///   int64, string, enum:uint8, money@2         a serializer without parts
///   list<string>, map<string,int64>            one with parts
///   (int32,string), struct(int32,string)       tuples, and structs without names
///   record{count:int64,since?:int64}           a struct that names its fields; `?`: has a default
struct TypeDescriptor {
  struct Part;

  TypeDescriptor() = default;
  TypeDescriptor(std::string serializer, char opens);

  std::string name;         ///< of the serializer; empty for a tuple
  char opening = '\0';      ///< what its parts stand behind: `<`, `(` or `{`; 0: it has none
  std::vector<Part> parts;  ///< in the order of their bytes
  /// Reads over one value; null for what was parsed.
  void (*skip)(ByteReader& in) = nullptr;

  std::string text() const;
  /// Nothing if that is no type name, or one nested more than 64 deep.
  static std::optional<TypeDescriptor> parse(std::string_view text);
};

struct TypeDescriptor::Part {
  TypeDescriptor type;
  std::string field{};  ///< empty except in a record
  bool has_default = false;
  std::string default_bytes{};  ///< a value as it is written; empty for what was parsed
};

// Here, where a part is complete.
inline TypeDescriptor::TypeDescriptor(std::string serializer, char opens)
    : name(std::move(serializer)), opening(opens) {}

/// Whether a text may be the name of a field: letters, digits, `_`, `-` and `.`.
constexpr bool is_field_name(std::string_view text) {
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.') return false;
  }
  return !text.empty();
}

}  // namespace streamrun
