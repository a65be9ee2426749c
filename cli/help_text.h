#pragma once

#include <string>

#include "command.h"

namespace streamrun {

/// What `streamrun help` prints: usage, examples, commands, global flags.
std::string general_help();
/// What `streamrun help COMMAND` prints: usage, examples, flags.
std::string command_help(const Command& command);
/// `-s, --fromSavepoint WHERE`.
std::string flag_heading(const Flag& flag);

}  // namespace streamrun
