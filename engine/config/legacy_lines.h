#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace streamrun {

/// A flat line that Flink's old line parser takes and YAML does not (or reads as nothing): a value
/// that begins with
/// `@`, `%`, `*`, holds `: `, and so on; or a line that lacks the blank after its colon.
struct LegacyLine {
  std::string what;       ///< what YAML minds, as a clause
  std::string put_right;  ///< the whole line as it has to be, its value quoted
  int column = 1;         ///< of the value, from 1
};

/// Nothing if `line` (without line break) is no such line. Looks at this line alone: the caller has
/// to make sure that the next line does not continue it.
std::optional<LegacyLine> legacy_line(std::string_view line);

/// Whether `line` can begin no continuation of the line before it: it is empty, a comment, or has
/// something other than a closing bracket in its first column.
bool begins_anew(std::string_view line);

}  // namespace streamrun
