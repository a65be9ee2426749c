#pragma once

#include <streamrun/stream/source.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Lines of text files, each read once, at any parallelism. A line ends with `\n` or `\r\n`; the
/// last one may end with the file. Files named `*.gz` and `*.zst` are decompressed (several members
/// or frames in a row are one text) and read by one reader each; others are cut into splits that
/// are read in parallel. No order is kept across splits.
///
/// Names that begin with `.` or `_` are left out wherever this source finds them itself. Links to
/// files are followed, links to folders are not, except one that is named in `paths`. A file that
/// two paths or links lead to is read once.
///
/// A file must be whole when it appears, as in Flink: write it under a name beginning with `.` or
/// `_`, or into another folder, and rename it. Of a file that grows, what was there when it was
/// found is read.
struct FileSource {
  using Record = std::string;

  /// Files, folders (read with everything below them) and patterns (`*`, `?`, `[a-z]` in any part
  /// of a path).
  std::vector<std::string> paths;
  /// Goes on looking for new files and never ends. A path is read once, even if the file grows or
  /// is replaced.
  bool watch = false;
  std::uint64_t split_bytes = std::uint64_t{64} << 20U;
  Duration watch_interval = std::chrono::seconds(1);
  /// What is read at once and travels as one batch.
  std::uint64_t block_bytes = std::uint64_t{64} << 10U;
  /// A longer line ends the job.
  std::uint64_t max_line_bytes = std::uint64_t{1} << 30U;

  std::unique_ptr<SourceReader<std::string>> make_reader() const;
  std::unique_ptr<SplitEnumerator> make_enumerator() const;
  bool bounded() const { return !watch; }
  std::vector<std::string> input_paths() const { return paths; }
  /// Whether all files that it would read from here can be opened; see `StreamNode::check_input`.
  Result<void> check_input(const FileSystems& stores, const std::string& working_directory,
                           const std::string& restored,
                           const std::vector<std::string>& unread) const;
  std::string describe() const;
};

}  // namespace streamrun
