#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command.h"

namespace streamrun {

/// All commands, in the order of help.
const std::vector<Command>& all_commands();
/// Null if there is none of that name.
const Command* find_command(std::string_view name);
/// The flags that every command understands.
const std::vector<Flag>& global_flags();
/// Names of the commands that are not hidden.
std::vector<std::string> command_names();
/// The long names of all flags, without dashes: what may come from the environment.
std::vector<std::string> all_long_names();

int run_command(const Invocation& invocation);
int list_checkpoints_command(const Invocation& invocation);
int inspect_command(const Invocation& invocation);
int verify_command(const Invocation& invocation);
int prune_command(const Invocation& invocation);
int diff_command(const Invocation& invocation);
int jobs_command(const Invocation& invocation);
int info_command(const Invocation& invocation);
int config_command(const Invocation& invocation);
int completion_command(const Invocation& invocation);
int complete_command(const Invocation& invocation);
int help_command(const Invocation& invocation);

}  // namespace streamrun
