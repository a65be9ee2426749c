#include <streamrun/base/strings.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <optional>

#include "quoted.h"
#include "yaml_tree.h"

namespace streamrun {
namespace {

constexpr std::string_view kListForms =
    "accepted: [a, b] as in YAML, or a;b with ' or \" as quotes";
constexpr std::string_view kMapForms =
    "accepted: {k: v} as in YAML, or k1:v1,k2:v2 with ' or \" as quotes";
constexpr std::string_view kPortForms = "accepted: a port from 1 to 65535";
constexpr std::string_view kPortRangeForms =
    "accepted: ports from 1 to 65535 and ranges, such as 8081 or 8081-8099,9000; 0 alone is any "
    "free port";

/// Takes a quoted token that `text` begins with; nothing if its end is missing.
std::optional<std::string> take_quoted(std::string_view& text) {
  const char quote = text.front();
  std::string token;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != quote) {
      token += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == quote) {
      token += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return token;
    }
  }
  return std::nullopt;
}

/// Flink's splitting with quotes; nothing if a quote does not end right before a separator.
std::optional<std::vector<std::string>> split_quoted(std::string_view text, char separator) {
  std::vector<std::string> tokens;
  text = trim(text);
  while (!text.empty()) {
    if (text.front() == separator) {
      text = trim(text.substr(1));
      continue;
    }
    if (text.front() == '\'' || text.front() == '"') {
      std::optional<std::string> token = take_quoted(text);
      text = trim(text);
      if (!token || (!text.empty() && text.front() != separator)) return std::nullopt;
      tokens.push_back(*std::move(token));
      continue;
    }
    const std::size_t end = std::min(text.find(separator), text.size());
    tokens.emplace_back(trim(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return tokens;
}

std::optional<YamlNode> flow_value(std::string_view text, YamlNode::Kind kind) {
  YamlTree tree = parse_yaml_tree(std::string(text));
  if (tree.problem || !tree.root || tree.root->kind != kind) return std::nullopt;
  return std::move(tree.root);
}

}  // namespace

Result<std::vector<std::string>> parse_list(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.starts_with('[')) {
    auto tokens = split_quoted(trimmed, ';');
    if (!tokens) return bad_value(text, "a list", kListForms);
    return *std::move(tokens);
  }
  const auto root = flow_value(trimmed, YamlNode::Kind::sequence);
  if (!root) return bad_value(text, "a list", kListForms);
  std::vector<std::string> items;
  for (const YamlNode& item : root->items) items.push_back(value_text(item));
  return items;
}

Result<std::map<std::string, std::string>> parse_map(std::string_view text) {
  const std::string_view trimmed = trim(text);
  std::map<std::string, std::string> members;
  const auto refused = [&] { return bad_value(text, "a map", kMapForms); };
  if (trimmed.starts_with('{')) {
    const auto root = flow_value(trimmed, YamlNode::Kind::map);
    if (!root) return refused();
    for (std::size_t i = 0; i + 1 < root->items.size(); i += 2) {
      if (!members.emplace(root->items[i].text, value_text(root->items[i + 1])).second)
        return refused();
    }
    return members;
  }
  const auto pairs = split_quoted(trimmed, ',');
  if (!pairs) return refused();
  for (const std::string& pair : *pairs) {
    const auto parts = split_quoted(pair, ':');
    if (!parts || parts->size() != 2 || !members.emplace((*parts)[0], (*parts)[1]).second)
      return refused();
  }
  return members;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_int(text);
  if (!port || *port < 1 || *port > 65535) return bad_value(text, "a port", kPortForms);
  return static_cast<std::uint16_t>(*port);
}

Result<std::vector<PortRange>> parse_port_ranges(std::string_view text) {
  if (trim(text) == "0") return std::vector<PortRange>{PortRange{}};
  std::vector<PortRange> ranges;
  for (const std::string& part : split(trim(text), ',')) {
    const std::size_t dash = part.find('-');
    const auto first = parse_port(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : parse_port(part.substr(dash + 1));
    if (!first || !last || *first > *last) return bad_value(text, "a port range", kPortRangeForms);
    ranges.push_back({.first = *first, .last = *last});
  }
  return ranges;
}

}  // namespace streamrun
