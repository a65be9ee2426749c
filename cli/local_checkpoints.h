#pragma once

#include <string>
#include <vector>

namespace streamrun {

/// Paths of complete checkpoints and savepoints under the configured folders, as far as these are
/// on the local disk: by their names, newest first, not more than a person wants to see. For
/// completion: quick, and empty rather than an error.
std::vector<std::string> local_checkpoints();

}  // namespace streamrun
