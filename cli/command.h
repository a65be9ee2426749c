#pragma once

#include <streamrun/api/job.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flags.h"

namespace streamrun {

/// The command tree as plain values: parsing, help, the man page and completion all read these
/// tables, so they cannot disagree.

/// What the value of a flag or an operand is, for completion.
enum class ValueKind { other, file, job, key, definition, snapshot, command, running_job };

/// A flag. One without a `value` name is a switch.
struct Flag {
  std::string long_name;   ///< without dashes; empty: `-D` has none
  char short_name = '\0';  ///< 0: none
  std::string value;       ///< name of the value in help: `WHERE`
  std::string help;
  std::vector<std::string> choices = {};  ///< in any case; the parser gives them as spelled here
  bool repeatable = false;
  /// An environment variable that is set but empty counts as given, rather than as unset.
  bool empty_counts = false;
  ValueKind kind = ValueKind::other;
  bool hidden = false;

  bool is_switch() const { return value.empty(); }
  /// `--conf`, or `-D` where there is no long name: how messages call it.
  std::string spelling() const;
};

struct Example {
  std::string line;
  std::string about;
};

struct Invocation;

struct Command {
  std::string name;
  std::vector<std::string> usage;  ///< what follows `streamrun NAME`, one line each
  std::string about;               ///< a sentence
  std::vector<Example> examples;
  std::vector<Flag> flags;  ///< beside the global ones
  /// How many operands it takes at most. With `before_job` these are JOB and all that follows.
  std::size_t most_operands = 0;
  ValueKind operand_kind = ValueKind::other;
  /// What stands after JOB belongs to the job.
  bool before_job = false;
  bool hidden = false;
  int (*run)(const Invocation&) = nullptr;
};

/// The values that were given, by the flag's spelling.
using FlagValues = std::map<std::string, std::vector<std::string>, std::less<>>;

/// A command line that was understood.
struct Invocation {
  const Command* command = nullptr;
  const JobTable* jobs = nullptr;
  GlobalFlags global;
  FlagValues values;
  std::vector<std::string> operands;  ///< for `before_job`: JOB and all that follows, untouched
  std::vector<std::string> line;      ///< all arguments of the process, in GNU spelling
  bool help = false;
  bool version = false;

  bool has(std::string_view spelling) const { return values.contains(spelling); }
  /// The value of a flag, the last one of several.
  std::optional<std::string> value(std::string_view spelling) const;
  std::vector<std::string> all(std::string_view spelling) const;
};

}  // namespace streamrun
