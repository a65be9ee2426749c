#include "input_file.h"

#include <streamrun/base/strings.h>

#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

Error lost(const FileSplit& split, std::string message) {
  return {.code = ErrorCode::source_lost,
          .message = std::move(message),
          .where = split.path,
          .why = fmt::format(
              "it had {} bytes when it was found; lines from offset {} on were still to be read",
              split.file_size, split.position),
          .retry = Retry::no};
}

std::string change_of(const FileSplit& split, const FileStatus& now) {
  if (now.size != split.file_size) {
    return fmt::format(
        "{} has grown from {} to {} bytes since it was found: what was added is not read",
        split.path, split.file_size, now.size);
  }
  if (now.modified_unix_milliseconds != split.modified_unix_milliseconds) {
    return fmt::format("{} was modified at {}, after it was found (it was of {})", split.path,
                       rfc3339(now.modified_unix_milliseconds),
                       rfc3339(split.modified_unix_milliseconds));
  }
  return {};
}

}  // namespace

Error input_is_shorter(const FileSplit& split, std::uint64_t size) {
  return lost(split,
              fmt::format("the input file has only {} bytes left of {}", size, split.file_size));
}

Result<InputFile> open_input(const FileSystems& file_systems, const FileSplit& split) {
  const auto [path, store] = SR_TRY(file_systems.place(split.path, "/"));
  Result<FileStatus> status = store->status(path);
  if (!status && status.error().code == ErrorCode::path)
    return lost(split, "the input file is gone");
  if (!status) return std::move(status).error();
  if (status->kind != FileKind::file) return lost(split, "the input is not a file any more");
  if (status->size < split.file_size) return input_is_shorter(split, status->size);
  InputFile input{.file = SR_TRY(store->open(path)), .change = change_of(split, *status)};
  if (input.file->size() < split.file_size) return input_is_shorter(split, input.file->size());
  return input;
}

}  // namespace streamrun
