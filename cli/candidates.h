#pragma once

#include <streamrun/api/job.h>

#include <string>
#include <vector>

namespace streamrun {

/// What may stand at the end of a command line, for a shell. `description` may be empty. The text
/// `:files` stands for the names of files.
struct Candidate {
  std::string text;
  std::string description;
};

/// `words` are those behind `streamrun`, up to the one under the cursor, which may be empty. Looks
/// at the command tree, the table of jobs, the configuration and folders on the local disk; never
/// at the network. What can't be read gives nothing.
std::vector<Candidate> candidates_for(const std::vector<std::string>& words, const JobTable& jobs);

constexpr const char* kFileNames = ":files";

}  // namespace streamrun
