#include "yaml_tree.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/strings.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace streamrun {
namespace {

/// Goes behind every text as a comment. The parser takes the end of the text for the end of a
/// quote, so that one forgotten would swallow all that follows without a word; but then this is
/// found inside a scalar.
constexpr std::string_view kEndMark = "#\x1f end of text";

constexpr int kMaxAliases = 100;
constexpr std::size_t kMaxAliasedNodes = 10'000;
constexpr std::size_t kMaxDepth = 32;

std::size_t size_of(const YamlNode& node) {
  std::size_t size = 1;
  for (const YamlNode& item : node.items) size += size_of(item);
  return size;
}

/// Builds the tree from the parser's events. Problems leave as thrown `YamlProblem`s: the parser
/// has no other way to be stopped. They do not leave this file.
class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "a second document: a configuration is one YAML document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(at(mark, YamlNode::Kind::null), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (value.find(kEndMark) != std::string::npos) fail(mark, "a quote that is not closed");
    YamlNode node = at(mark, YamlNode::Kind::scalar);
    node.plain = tag == "?";
    node.text = node.plain ? std::string(trim(value)) : value;
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias to what it stands in");
    aliased_nodes_ += size_of(found->second);
    if (++aliases_ > kMaxAliases || aliased_nodes_ > kMaxAliasedNodes)
      exceed(mark, "more than 100 aliases");
    YamlNode node = found->second;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    add(std::move(node), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

  std::optional<YamlNode> take_root() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
  };

  [[noreturn]] static void fail(const YAML::Mark& mark, std::string what) {
    throw YamlProblem{.what = std::move(what), .line = mark.line + 1, .column = mark.column + 1};
  }
  [[noreturn]] static void exceed(const YAML::Mark& mark, std::string what) {
    throw YamlProblem{.what = std::move(what),
                      .line = mark.line + 1,
                      .column = mark.column + 1,
                      .is_syntax = false};
  }
  static YamlNode at(const YAML::Mark& mark, YamlNode::Kind kind) {
    return YamlNode{.kind = kind, .line = mark.line + 1, .column = mark.column + 1};
  }
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
    fail(mark, "a tag that configurations do not have; a value that begins with ! needs quotes");
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    check_tag(mark, tag);
    if (open_.size() >= kMaxDepth) exceed(mark, "nested deeper than 32");
    open_.push_back({at(mark, kind), anchor});
  }
  void close() {
    SR_ASSERT(!open_.empty(), "the YAML parser closed what it had not opened");
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back().node;
    const bool is_key = parent.kind == YamlNode::Kind::map && parent.items.size() % 2 == 0;
    if (is_key && node.kind != YamlNode::Kind::scalar) {
      throw YamlProblem{
          .what = "a key that is not a text", .line = node.line, .column = node.column};
    }
    parent.items.push_back(std::move(node));
  }

  std::optional<YamlNode> root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t aliased_nodes_ = 0;
  int aliases_ = 0;
  int documents_ = 0;
};

bool needs_quotes(std::string_view text) {
  constexpr std::string_view kPlain = "._/-+=$@";
  const auto is_plain = [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || kPlain.find(c) != std::string_view::npos;
  };
  constexpr std::string_view kNotFirst = "-@=$+.";
  if (text.empty() || kNotFirst.find(text.front()) != std::string_view::npos) return true;
  return !std::all_of(text.begin(), text.end(), is_plain) || to_lower_ascii(text) == "null";
}

std::string flow_scalar(const std::string& text) {
  if (!needs_quotes(text)) return text;
  std::string quoted_text = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted_text += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') quoted_text += '\\';
    quoted_text += c;
  }
  return quoted_text + '"';
}

std::string flow_text(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return "null";
  if (node.kind == YamlNode::Kind::scalar) return flow_scalar(node.text);
  const bool is_map = node.kind == YamlNode::Kind::map;
  std::string text = is_map ? "{" : "[";
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i != 0) text += is_map && i % 2 == 1 ? ": " : ", ";
    text += flow_text(node.items[i]);
  }
  return text + (is_map ? '}' : ']');
}

}  // namespace

YamlTree parse_yaml_tree(const std::string& text) {
  std::istringstream stream(text + "\n" + std::string(kEndMark) + "\n");
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return {.root = builder.take_root(), .problem = std::nullopt};
  } catch (const YAML::Exception& exception) {
    const auto from_one = [](int zero_based) { return std::max(zero_based, 0) + 1; };
    return {.root = std::nullopt,
            .problem = YamlProblem{.what = exception.msg,
                                   .line = from_one(exception.mark.line),
                                   .column = from_one(exception.mark.column)}};
  } catch (const YamlProblem& problem) {
    return {.root = std::nullopt, .problem = problem};
  }
}

std::string value_text(const YamlNode& node) {
  return node.kind == YamlNode::Kind::scalar ? node.text : flow_text(node);
}

}  // namespace streamrun
