#include <streamrun/base/strings.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/yaml_reader.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "legacy_lines.h"
#include "quoted.h"
#include "yaml_tree.h"

namespace streamrun {
namespace {

/// After so many unrelated problems of syntax the rest of a file says little.
constexpr int kMaxSyntaxProblems = 20;
/// Whoever has so many lines to put right knows how by then.
constexpr std::size_t kMaxLegacyLines = 100;
constexpr std::size_t kLongestLegacyLine = 512;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
}

class FileReader {
 public:
  FileReader(std::string_view path, std::string_view text) : path_(path), text_(text) {}

  ConfigFile read() && {
    if (bytes_are_text()) {
      take_lines();
      if (indents_without_tabs()) read_lines();
    }
    std::stable_sort(errors_.begin(), errors_.end(),
                     [](const Placed& a, const Placed& b) { return a.line < b.line; });
    for (Placed& placed : errors_) file_.errors.push_back(std::move(placed.error));
    return std::move(file_);
  }

 private:
  struct Placed {
    int line;
    Error error;
  };

  void report(int line, int column, std::string message, std::string why = {}) {
    errors_.push_back({line, Error{.code = ErrorCode::config,
                                   .message = std::move(message),
                                   .where = fmt::format("{}:{}:{}", path_, line, column),
                                   .why = std::move(why),
                                   .retry = Retry::no}});
  }
  void report_at_byte(std::size_t at, std::string message) {
    const std::string_view before = text_.substr(0, at);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    report(static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
           static_cast<int>(at - line_start) + 1, std::move(message));
  }

  bool bytes_are_text() {
    if (text_.size() > kMaxConfigFileBytes) {
      report(1, 1, fmt::format("the file has {} bytes; at most 1 MiB is read", text_.size()));
      return false;
    }
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    const auto control = std::find_if(text_.begin(), text_.end(), is_control);
    if (control != text_.end()) {
      const std::string_view what = *control == '\0' ? "a NUL byte" : "a control character";
      report_at_byte(static_cast<std::size_t>(control - text_.begin()), std::string(what));
    }
    if (!is_valid_utf8(text_)) report_at_byte(first_bad_utf8(), "not UTF-8");
    return errors_.empty();
  }

  /// The first line that is not UTF-8, and in it the first byte from which on it is not.
  std::size_t first_bad_utf8() const {
    std::size_t start = 0;
    for (std::size_t end = text_.find('\n'); end != std::string_view::npos;
         end = text_.find('\n', start)) {
      if (!is_valid_utf8(text_.substr(start, end - start))) break;
      start = end + 1;
    }
    std::size_t good = start;
    for (std::size_t length = 1; start + length <= text_.size() && length <= kLongestLineSearched;
         ++length) {
      if (is_valid_utf8(text_.substr(start, length))) good = start + length;
      if (start + length >= good + 4) break;
    }
    return good;
  }

  void take_lines() {
    for (std::string& line : split(text_, '\n')) {
      if (line.ends_with('\r')) line.pop_back();
      std::replace(line.begin(), line.end(), '\r', ' ');
      lines_.push_back(std::move(line));
    }
    as_written_ = lines_;
  }

  bool indents_without_tabs() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const std::size_t content = std::min(lines_[i].find_first_not_of(" \t"), lines_[i].size());
      const std::size_t tab = lines_[i].find('\t');
      if (content == lines_[i].size() || lines_[i][content] == '#' || tab >= content) continue;
      report(static_cast<int>(i) + 1, static_cast<int>(tab) + 1,
             "a tab in the indentation; YAML takes blanks only");
    }
    return errors_.empty();
  }

  void read_lines() {
    YamlTree tree = parse_yaml_tree(join(lines_, "\n"));
    if (tree.problem ? tree.problem->is_syntax : !is_map_or_nothing(tree)) {
      put_legacy_lines_right();
      tree = parse_yaml_tree(join(lines_, "\n"));
    }
    for (int problems = 1; tree.problem; ++problems) {
      report(tree.problem->line, tree.problem->column, plain_words(tree.problem->what));
      if (problems == kMaxSyntaxProblems || !tree.problem->is_syntax ||
          !blank_line(tree.problem->line))
        return;
      tree = parse_yaml_tree(join(lines_, "\n"));
    }
    if (!is_map_or_nothing(tree)) {
      report(tree.root->line, tree.root->column, "expected lines of the form key: value");
      return;
    }
    if (tree.root) take_map(*tree.root, "");
  }

  static bool is_map_or_nothing(const YamlTree& tree) {
    return !tree.root || tree.root->kind == YamlNode::Kind::map ||
           tree.root->kind == YamlNode::Kind::null;
  }

  static std::string plain_words(const std::string& what) {
    // The parser's words where they would puzzle someone who writes key: value lines.
    if (what.starts_with("illegal map value"))
      return "a key that does not fit here: check the indentation";
    if (what.starts_with("end of map not found")) return "the indentation fits no line above";
    return what;
  }

  void put_legacy_lines_right() {
    for (std::size_t i = 0; i < lines_.size() && errors_.size() < kMaxLegacyLines; ++i) {
      if (lines_[i].size() > kLongestLegacyLine) continue;
      if (i + 1 < lines_.size() && !begins_anew(lines_[i + 1])) continue;
      const std::optional<LegacyLine> found = legacy_line(lines_[i]);
      if (!found || has_alias(lines_[i])) continue;
      report_legacy(static_cast<int>(i) + 1, *found);
      lines_[i] = found->put_right;
    }
  }

  /// Whether `value` has an alias of something in this file; looked at alone, its line can't be
  /// read.
  bool has_alias(std::string_view value) const {
    for (std::size_t at = value.find('*'); at != std::string_view::npos;
         at = value.find('*', at + 1)) {
      const std::string_view name =
          value.substr(at + 1, value.find_first_of(" \t#,]}", at) - at - 1);
      if (!name.empty() && text_.find("&" + std::string(name)) != std::string_view::npos)
        return true;
    }
    return false;
  }

  void report_legacy(int line, const LegacyLine& found) {
    const std::string key = found.put_right.substr(0, found.put_right.find(':'));
    const bool secret = is_secret_key(key);
    report(line, found.column,
           fmt::format("{}; write: {}", found.what,
                       secret ? key + ": \"" + std::string(kMasked) + "\"" : found.put_right),
           "Flink's old line parser takes this line, YAML does not");
  }

  /// Takes a line of its own out of the text, to look for problems behind it; false if others may
  /// hang on it.
  bool blank_line(int line) {
    const auto i = static_cast<std::size_t>(line) - 1;
    if (i >= lines_.size() || lines_[i].empty() || lines_[i].front() == ' ' ||
        !begins_anew(lines_[i]))
      return false;
    if (i + 1 < lines_.size() && !begins_anew(lines_[i + 1])) return false;
    lines_[i].clear();
    return true;
  }

  void take_map(const YamlNode& map, const std::string& prefix) {
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const YamlNode& key = map.items[i];
      const YamlNode& value = map.items[i + 1];
      const std::string name = prefix.empty() ? key.text : prefix + "." + key.text;
      if (key.text.empty()) {
        report(key.line, key.column, "an empty key");
      } else if (name.size() > kLongestKey) {
        report(key.line, key.column, fmt::format("a key is longer than {} bytes", kLongestKey));
      } else if (value.kind == YamlNode::Kind::map) {
        take_map(value, name);
      } else {
        take_value(name, key, value);
      }
    }
  }

  void take_value(const std::string& name, const YamlNode& key, const YamlNode& value) {
    if (value.kind == YamlNode::Kind::null) {
      report_null(name, key);
      return;
    }
    const auto [first, is_new] = first_lines_.emplace(name, key.line);
    if (!is_new) {
      report(key.line, key.column,
             fmt::format("{} is set twice: in line {} and in line {}", quoted(name), first->second,
                         key.line));
      return;
    }
    std::string text = value_text(value);
    if (std::any_of(text.begin(), text.end(), is_control)) {
      report(key.line, key.column,
             fmt::format("{}: the value has a control character", quoted(name)));
      return;
    }
    if (!is_valid_utf8(name) || !is_valid_utf8(text)) {
      // yaml-cpp turns \N and \_ into bytes that are no characters.
      report(key.line, key.column,
             fmt::format("{}: key or value has an escape that gives no UTF-8", quoted(name)));
      return;
    }
    file_.entries.push_back({.key = name,
                             .value = std::move(text),
                             .file = std::string(path_),
                             .line = key.line,
                             .column = key.column});
  }

  void report_null(const std::string& name, const YamlNode& key) {
    const auto found = legacy_line(as_written_[static_cast<std::size_t>(key.line) - 1]);
    if (found) {
      report_legacy(key.line, *found);
    } else {
      report(key.line, key.column, fmt::format("{} has no value", quoted(name)),
             "leave the line out for the default, or write \"\" for an empty text");
    }
  }

  static constexpr std::size_t kLongestLineSearched = 4096;
  static constexpr std::size_t kLongestKey = 256;

  std::string_view path_;
  std::string_view text_;
  std::vector<std::string> lines_;
  std::vector<std::string> as_written_;
  std::map<std::string, int> first_lines_;
  std::vector<Placed> errors_;
  ConfigFile file_;
};

}  // namespace

std::string ConfigEntry::place() const {
  return fmt::format("{}:{}", file, line);
}
std::string ConfigEntry::exact_place() const {
  return fmt::format("{}:{}:{}", file, line, column);
}

ConfigFile load_configuration_file(std::string_view path, std::string_view text) {
  return FileReader(path, text).read();
}

}  // namespace streamrun
