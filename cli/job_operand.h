#pragma once

#include <optional>
#include <string>

#include "command.h"

namespace streamrun {

/// The job and the folder of a savepoint on a command line. Flink lets the folder behind a flag be
/// left out: the flag then takes the next word, and a single word is the job.
struct JobAndFolder {
  std::string job;                         ///< empty: none was given
  std::optional<std::string> folder = {};  ///< empty text: the configured one
};
JobAndFolder job_and_folder(const Invocation& invocation, const std::string& flag);

}  // namespace streamrun
