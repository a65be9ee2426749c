#pragma once

#include <optional>
#include <string>
#include <vector>

namespace streamrun {

/// What stands in a YAML text, with places, before anything is made of it. Lines and columns count
/// from 1.
struct YamlNode {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  bool plain = false;                ///< a scalar without quotes
  std::string text = {};             ///< of a scalar
  std::vector<YamlNode> items = {};  ///< of a sequence; of a map key, value, key, value, …
  int line = 0;
  int column = 0;
};

struct YamlProblem {
  std::string what;
  int line = 0;
  int column = 0;
  bool is_syntax = true;  ///< false: it is YAML, but beyond a limit
};

/// A root (none in an empty document) or the first problem.
struct YamlTree {
  std::optional<YamlNode> root;
  std::optional<YamlProblem> problem;
};

/// Reads one document. Refused, as well as what is not YAML: a second document, more than 100
/// aliases or much content repeated by them, nesting deeper than 32, foreign tags, keys that are
/// not scalars.
YamlTree parse_yaml_tree(const std::string& text);

/// The node on one line: a scalar as it is, everything else as YAML in flow style.
std::string value_text(const YamlNode& node);

}  // namespace streamrun
