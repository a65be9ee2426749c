#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace streamrun {

/// Makes arguments safe for a parser of the GNU style, which would read Flink's `-claimMode` as
/// `-c laimMode`, and take the next argument as the value of `--flag=`: Flink's long options with
/// one dash get two, and an empty value after `=` becomes an argument of its own.
std::vector<std::string> with_gnu_spelling(const std::vector<std::string>& arguments);

/// Flink's spelling of a long option with one dash: `-cm` of `--claimMode`; the argument itself if
/// it is none.
std::string long_spelling_of(const std::string& argument);

}  // namespace streamrun
