#pragma once

#include <streamrun/storage/file_systems.h>

#include <string>

#include "command.h"

namespace streamrun {

/// Prints what this binary's job would get from the snapshot at `where`, operator by operator, and
/// returns 0; throws what `run -s` would refuse it with (E-JOB-MISMATCH, E-MAXP, …). The job is the
/// one that the snapshot's arguments make if it is of the same name, else one of placeholders.
/// Reads metadata only.
int would_restore(const Invocation& invocation, const std::string& where, const std::string& job,
                  const FileSystems& stores);

}  // namespace streamrun
