#pragma once

#include <string>
#include <vector>

namespace streamrun::test {

/// A snapshot that some version wrote, with what is recorded of it: `make` says what is in its
/// folder.
struct GoldenCase {
  std::string version;
  std::string name;
  std::string folder;  ///< absolute, in the repository

  std::string label() const { return version + "/" + name; }
  /// Name and arguments of the job that goes on from it.
  std::vector<std::string> job() const;
  /// What that writes: lines, sorted.
  std::vector<std::string> output() const;
};

/// All of all versions, the oldest version first.
std::vector<GoldenCase> golden_cases();
/// The one of that name of the newest version that has it. Throws if none has.
GoldenCase newest_golden_case(const std::string& name);

/// A whole file. Throws if it can't be read.
std::string golden_bytes_of(const std::string& path);
std::vector<std::string> golden_lines_of(const std::string& path);

}  // namespace streamrun::test
