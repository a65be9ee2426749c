#pragma once

#include <map>
#include <string>
#include <vector>

#include "command.h"

namespace streamrun {

/// Understands a command line: which command, its flags and operands, and the flags that stand in
/// the environment. `arguments` go without the program's name. Throws E-USAGE for what is unknown
/// (with the nearest right one), missing, or given twice. Whether values make sense to a command is
/// its own business.
Invocation parse_command_line(const std::vector<std::string>& arguments,
                              const std::map<std::string, std::string>& environment);

}  // namespace streamrun
