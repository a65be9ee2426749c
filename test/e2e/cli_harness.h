#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/process.h"

namespace streamrun::test {

/// A folder of the test's own, in which the binary runs.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, std::string_view bytes) const;

  /// Runs the binary with jobs of the tests' own (`own_jobs.cc`) in this folder.
  Outcome own(const std::vector<std::string>& arguments,
              const std::map<std::string, std::string>& environment = {}) const;
  /// Runs `streamrun` itself.
  Outcome streamrun(const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment = {}) const;

  /// Starts `streamrun`, and kills it with SIGKILL once it has said `text` on standard error.
  void kill_at(const std::vector<std::string>& arguments, const std::string& text) const;
  /// The newest checkpoint below `ckpt`.
  std::string newest() const;

 private:
  std::string path_;
};

bool contains(const std::string& text, const std::string& part);
/// The text of a golden file of `test/e2e/golden`.
std::string golden(const std::string& name);

}  // namespace streamrun::test
