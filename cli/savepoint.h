#pragma once

#include <streamrun/base/result.h>
#include <streamrun/config/configuration.h>
#include <streamrun/storage/file_systems.h>

#include <string>

#include "command.h"
#include "job_client.h"

namespace streamrun {

/// What `savepoint`, `stop` and `cancel -s` have in common: has the job called `job` take a
/// savepoint, in a folder relative to this command's working directory, waits for it and prints its
/// path; with `--detached` the id of the operation. Returns the exit status; errors are thrown.
int take_savepoint(const Invocation& invocation, const std::string& job, JobClient::Way way,
                   const std::string& directory);

/// Prints the one value that a command is asked for: plainly, or as a JSON member `name`.
void print_value(const Invocation& invocation, const char* name, const std::string& value);

/// Deletes the savepoint at `path`, as a person wrote it.
Result<void> dispose_savepoint_at(const std::string& path, const Configuration& configuration,
                                  const FileSystems& stores);

}  // namespace streamrun
