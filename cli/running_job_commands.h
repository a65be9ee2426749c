#pragma once

#include <vector>

#include "command.h"

namespace streamrun {

/// The commands that talk to a running job, for the table of all.
std::vector<Command> running_job_commands();

int list_command(const Invocation& invocation);
int cancel_command(const Invocation& invocation);
int stop_command(const Invocation& invocation);
int savepoint_command(const Invocation& invocation);
int checkpoint_command(const Invocation& invocation);

}  // namespace streamrun
