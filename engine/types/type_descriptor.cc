#include <streamrun/types/type_descriptor.h>

#include <cstddef>
#include <utility>

namespace streamrun {
namespace {

constexpr int kMostNested = 64;

char closing_of(char opening) {
  if (opening == '<') return '>';
  return opening == '(' ? ')' : '}';
}

/// Descends through a text; `failed` once it is no type name.
class Parser {
 public:
  explicit Parser(std::string_view text) : left_(text) {}

  std::optional<TypeDescriptor> whole() {
    TypeDescriptor type = one(kMostNested);
    if (failed_ || !left_.empty()) return std::nullopt;
    return type;
  }

 private:
  TypeDescriptor one(int depth) {
    TypeDescriptor type;
    type.name = take_until("<>(){},");
    const char next = left_.empty() ? '\0' : left_.front();
    if (depth == 0) failed_ = true;
    if (next == '<' || next == '(' || next == '{') {
      type.opening = next;
      parts_of(type, depth);
    } else if (type.name.empty()) {
      failed_ = true;
    }
    return type;
  }
  void parts_of(TypeDescriptor& type, int depth) {
    left_.remove_prefix(1);
    const char closing = closing_of(type.opening);
    if (take(closing)) return;
    while (!failed_) {
      TypeDescriptor::Part part;
      if (type.opening == '{') field_of(part);
      if (!failed_) part.type = one(depth - 1);
      type.parts.push_back(std::move(part));
      if (take(closing)) return;
      if (!take(',')) failed_ = true;
    }
  }
  void field_of(TypeDescriptor::Part& part) {
    part.field = take_until("?:");
    part.has_default = take('?');
    if (!is_field_name(part.field) || !take(':')) failed_ = true;
  }
  std::string take_until(std::string_view ends) {
    const std::string_view taken = left_.substr(0, left_.find_first_of(ends));
    left_.remove_prefix(taken.size());
    return std::string(taken);
  }
  bool take(char c) {
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }

  std::string_view left_;
  bool failed_ = false;
};

}  // namespace

std::string TypeDescriptor::text() const {
  if (opening == '\0') return name;
  std::string text = name + opening;
  for (const Part& part : parts) {
    if (&part != &parts.front()) text += ',';
    if (opening == '{') text += part.field + (part.has_default ? "?:" : ":");
    text += part.type.text();
  }
  return text + closing_of(opening);
}

std::optional<TypeDescriptor> TypeDescriptor::parse(std::string_view text) {
  return Parser(text).whole();
}

}  // namespace streamrun
