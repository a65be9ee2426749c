#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// What a run tells other commands of this person about itself.
struct RunningJob {
  std::string id;  ///< 32 hex digits
  std::string name;
  std::int64_t pid = 0;
  std::int64_t started_unix_ms = 0;
  std::string url;  ///< of its REST server; empty if it has none
};

/// A file `running/JOB-ID-PID.json` in the folder of state, locked as long as the process lives: a
/// process that was killed lets go of the lock, whoever has its pid by then.
class Registration {
 public:
  /// E-PATH, E-PERM, E-STORE-….
  static Result<std::unique_ptr<Registration>> enter(const RunningJob& job);
  /// Removes the file.
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  Registration(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  const std::string path_;
  const int descriptor_;
};

struct RegisteredJobs {
  std::vector<RunningJob> running;  ///< the oldest first
  std::vector<RunningJob> lost;     ///< whose process ended without a word
};

/// Whether the files of those that are lost are removed, so that they are told of once.
enum class Lost { keep, forget };
/// Reads what is registered. What can't be read is not there.
RegisteredJobs registered_jobs(Lost lost);

}  // namespace streamrun
