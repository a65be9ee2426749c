#include <streamrun/base/strings.h>
#include <streamrun/connectors/file/file_source.h>

#include "file_enumerator.h"
#include "file_reader.h"

namespace streamrun {
namespace {

void check(const FileSource& source) {
  const bool sizes_are_positive =
      source.split_bytes > 0 && source.block_bytes > 0 && source.max_line_bytes > 0;
  if (!source.paths.empty() && sizes_are_positive && source.watch_interval > Duration::zero())
    return;
  throw_error({.code = ErrorCode::usage,
               .message = source.paths.empty()
                              ? "a file source needs at least one path"
                              : "sizes and the watch interval of a file source are above 0",
               .where = join(source.paths, ", "),
               .retry = Retry::no});
}

}  // namespace

std::unique_ptr<SourceReader<std::string>> FileSource::make_reader() const {
  check(*this);
  return std::make_unique<FileReader>(
      LineLimits{.block_bytes = block_bytes, .max_line_bytes = max_line_bytes});
}

std::unique_ptr<SplitEnumerator> FileSource::make_enumerator() const {
  check(*this);
  return std::make_unique<FileEnumerator>(
      FileEnumerator::Settings{.paths = paths,
                               .watch = watch,
                               .split_bytes = split_bytes,
                               .watch_interval = watch_interval});
}

Result<void> FileSource::check_input(const FileSystems& stores,
                                     const std::string& working_directory,
                                     const std::string& restored,
                                     const std::vector<std::string>& unread) const {
  check(*this);
  FileEnumerator enumerator({.paths = paths,
                             .watch = watch,
                             .split_bytes = split_bytes,
                             .watch_interval = watch_interval});
  return enumerator.check_input(stores, working_directory, restored, unread);
}

std::string FileSource::describe() const {
  return (watch ? "lines of files, watching " : "lines of files ") + join(paths, ", ");
}

}  // namespace streamrun
