#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {

/// The id of the job that a test starts.
inline const std::string kOne = "0123456789abcdef0123456789abcdef";

/// A folder with a registry of running jobs of its own.
class RunningWorld {
 public:
  using Arguments = std::vector<std::string>;

  const Folder& folder() const { return folder_; }
  std::string at(const std::string& name) const { return folder_.at(name); }

  /// Starts the job `broken --how HOW` with a checkpoint every 20 ms into `ckpt`, and waits until
  /// it runs and can be reached. `flags` stand before the job.
  std::unique_ptr<Process> start(const std::string& id, const Arguments& flags = {},
                                 const std::string& how = "run") const;
  /// Runs a command to its end.
  Outcome command(const Arguments& arguments) const;
  /// The same in the background.
  std::unique_ptr<Process> begin(const Arguments& arguments) const;
  /// `list --json`
  nlohmann::json listed(const Arguments& flags = {}) const;
  /// The address of the only job that runs, as `host:port`.
  std::string address() const;
  /// Names in a folder that begin so.
  std::vector<std::string> names_in(const std::string& folder, const std::string& prefix) const;
  /// The lines in the finished files below `copied`, sorted as numbers.
  std::vector<long> copied() const;

 private:
  Folder folder_;
};

/// Text without the newline that must end it.
std::string one_line(const std::string& text);

}  // namespace streamrun::test
