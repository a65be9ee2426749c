#include "legacy_lines.h"

#include <streamrun/base/strings.h>

#include <algorithm>

#include <fmt/format.h>

#include "yaml_tree.h"

namespace streamrun {
namespace {

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '_' || c == '-' || c == '$';
}

bool is_null_word(std::string_view value) {
  return value == "~" || to_lower_ascii(value) == "null";
}

std::string in_quotes(std::string_view value) {
  if (value.find_first_of("\"\\") == std::string_view::npos) return fmt::format("\"{}\"", value);
  std::string doubled;
  for (const char c : value) doubled += c == '\'' ? std::string("''") : std::string(1, c);
  return fmt::format("'{}'", doubled);
}

/// Whether YAML makes one key with a value of the line. A lone opening bracket may go on, but not
/// on a line of its own, which is all that is asked here.
bool yaml_takes(std::string_view line) {
  const YamlTree tree = parse_yaml_tree(std::string(line));
  return !tree.problem && tree.root && tree.root->kind == YamlNode::Kind::map &&
         tree.root->items.size() == 2 && tree.root->items[1].kind != YamlNode::Kind::null;
}

}  // namespace

std::optional<LegacyLine> legacy_line(std::string_view line) {
  const auto colon = std::find_if_not(line.begin(), line.end(), is_key_character);
  const auto key_size = static_cast<std::size_t>(colon - line.begin());
  if (key_size == 0 || colon == line.end() || *colon != ':') return std::nullopt;
  const std::string_view key = line.substr(0, key_size);
  const std::string_view rest = line.substr(key_size + 1);
  // The old parser cuts at the first '#', quotes or not.
  const std::size_t comment_at = rest.find('#');
  const std::string_view value = trim(rest.substr(0, comment_at));
  if (value.empty() || is_null_word(value) || yaml_takes(line)) return std::nullopt;
  const bool has_blank = rest.front() == ' ' || rest.front() == '\t';
  if (!has_blank && value.starts_with("//")) return std::nullopt;  // a URL, not a key
  const std::string comment = comment_at == std::string_view::npos
                                  ? ""
                                  : fmt::format("  {}", trim(rest.substr(comment_at)));
  const std::string plain = fmt::format("{}: {}", key, value);
  LegacyLine found;
  found.what = has_blank ? "the value needs quotes in YAML" : "a blank is missing after the colon";
  found.put_right =
      (yaml_takes(plain) ? plain : fmt::format("{}: {}", key, in_quotes(value))) + comment;
  found.column = static_cast<int>(value.data() - line.data()) + 1;
  return found;
}

bool begins_anew(std::string_view line) {
  const std::string_view content = trim(line);
  if (content.empty() || content.front() == '#') return true;
  constexpr std::string_view kContinues = " \t]}-";
  return kContinues.find(line.front()) == std::string_view::npos;
}

}  // namespace streamrun
