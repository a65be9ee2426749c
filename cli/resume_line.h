#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flags.h"

namespace streamrun {

/// A `run` command that can be pasted: as it was given, with the configuration and the job that it
/// names, in the order in which they stand on a command line.
struct RunLine {
  std::string from;                     ///< of `-s`; empty: none
  std::vector<std::string> extra = {};  ///< flags beside the ones that were given
  /// In place of the given arguments; none: those.
  std::optional<JobArguments::Values> arguments = {};
  /// For a job that must be named; empty: the one that was given, if any.
  std::string job = {};
};
std::string run_line(const GlobalFlags& global, const RunFlags& flags, const RunLine& line);

/// The same suggestions, with those that begin with `streamrun run -s WHERE` completed by what was
/// given beside `-s`. A comment after two blanks and `#` stays at the end.
std::vector<std::string> completed_tries(const GlobalFlags& global, const RunFlags& flags,
                                         std::vector<std::string> tries);

}  // namespace streamrun
