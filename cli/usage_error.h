#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Ends the command with E-USAGE: one line, then lines that can be pasted.
[[noreturn]] void usage_error(std::string message, std::vector<std::string> tries = {});

/// `; did you mean X?` with the candidate nearest to `word`, else nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view prefix = {});

/// A word as a POSIX shell reads it back: in quotes only where it needs them.
std::string shell_word(std::string_view word);
std::string shell_line(const std::vector<std::string>& words);

}  // namespace streamrun
