#pragma once

#include <string>
#include <vector>

#include "e2e/cli_harness.h"
#include "golden/golden_case.h"

namespace streamrun::test {

/// A golden snapshot in a folder of the test's own: not where it was written, nor where it lies.
class GoldenWorld {
 public:
  explicit GoldenWorld(GoldenCase golden);

  const Folder& folder() const { return folder_; }
  /// Its job goes on from it.
  Outcome run(int parallelism) const;
  /// What that has written: the lines of its output folder if it has one, else of its stdout.
  std::vector<std::string> output_of(const Outcome& outcome) const;

 private:
  const GoldenCase golden_;
  const Folder folder_;
};

}  // namespace streamrun::test
