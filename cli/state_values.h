#pragma once

#include "command.h"
#include "snapshot_operand.h"

namespace streamrun {

/// `inspect WHERE --state UID/NAME [--key K] [--limit N]`: prints the values of one state, a line
/// of JSON each, and returns the exit status: 66 if `--key` was given and nothing has it. Throws.
int print_state_values(const Invocation& invocation, const FoundSnapshot& found);

}  // namespace streamrun
