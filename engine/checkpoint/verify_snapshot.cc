#include <streamrun/base/checksum.h>
#include <streamrun/base/crash_point.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/state/shared_file.h>

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "metadata_layout.h"

namespace streamrun {
namespace {

Error corrupt(const std::string& path, std::string what, std::string why = {}) {
  return {.code = ErrorCode::state_corrupt,
          .message = std::move(what),
          .where = path,
          .why = std::move(why),
          .retry = Retry::no};
}

/// A shared one is most likely missing because its checkpoint was copied without it.
Error missing(const std::string& path) {
  Error error{.code = ErrorCode::state_missing,
              .message = "a state file is not there",
              .where = path,
              .retry = Retry::no};
  const std::string folder = parent_path(path);
  if (base_name(folder) != kSharedName || !is_shared_file_name(base_name(path))) return error;
  error.why = "the checkpoint needs it, and other checkpoints of the job may share it";
  error.tries = {"cp -a JOB-FOLDER COPY  # the whole folder of the job, with its shared/"};
  return error;
}

/// A file that can't be read is damage (R2: never garbage), but one that may not be read is not,
/// nor one whose store does not answer: an older snapshot must not take the place of this one for
/// that.
Error unreadable(const std::string& path, const Error& cause) {
  if (cause.code == ErrorCode::path) return missing(path);
  if (cause.code == ErrorCode::permission || cause.code == ErrorCode::unavailable) return cause;
  Error error = corrupt(path, "a state file can't be read", cause.headline());
  error.retry = cause.retry;  // a moment's trouble, perhaps
  return error;
}

Result<void> verify_presence(FileSystem& files, const std::string& path, const StateFile& file) {
  const Result<FileStatus> status = files.status(path);
  if (!status) return unreadable(path, status.error());
  if (status->is_link) return corrupt(path, "a state file is a symbolic link");
  if (status->kind != FileKind::file) return corrupt(path, "a state file is not a regular file");
  if (status->size == file.length) return {};
  return corrupt(
      path, fmt::format("a state file has {} bytes, expected {}: cut short or changed at byte {}",
                        status->size, file.length, std::min(status->size, file.length)));
}

Result<void> read_block(ReadableFile& reader, const std::string& path, std::uint64_t offset,
                        std::string& block) {
  for (std::size_t filled = 0; filled < block.size();) {
    const Result<std::size_t> count =
        reader.read_at(offset + filled, block.data() + filled, block.size() - filled);
    if (!count) return unreadable(path, count.error());
    if (*count == 0)
      return corrupt(path, fmt::format("the file ended early, at byte {}", offset + filled));
    filled += *count;
  }
  return {};
}

Result<void> verify_data(FileSystem& files, const std::string& path, const StateFile& file) {
  const Result<std::unique_ptr<ReadableFile>> reader = files.open_no_follow(path);
  if (!reader) return unreadable(path, reader.error());
  Xxh3Stream whole;
  std::string block;
  std::uint64_t offset = 0;
  for (const std::uint32_t expected : file.crc32c) {
    block.resize(static_cast<std::size_t>(std::min(kChecksumBlockBytes, file.length - offset)));
    SR_TRY(read_block(**reader, path, offset, block));
    const std::uint32_t found = crc32c(block);
    if (found != expected) {
      return corrupt(path, fmt::format("bytes {} to {}: checksum {:08x}, expected {:08x}", offset,
                                       offset + block.size(), found, expected));
    }
    whole.update(block);
    offset += block.size();
  }
  if (whole.hex() == file.xxh3) return {};
  return corrupt(path, fmt::format("xxh3 {} of all bytes, expected {}", whole.hex(), file.xxh3));
}

Result<void> verify_file(FileSystem& files, const std::string& path, const StateFile& file,
                         bool read_data) {
  SR_TRY(verify_presence(files, path, file));
  SR_CRASH("rs.verify.mid");
  if (read_data) return verify_data(files, path, file);
  return {};
}

}  // namespace

std::string state_file_path(const std::string& directory, const StateFile& file) {
  if (is_exclusive(file)) return join_path(directory, file.path);
  if (!is_shared(file)) return file.path;
  return join_path(join_path(parent_path(directory), kSharedName), shared_file_name(file));
}

std::vector<Error> find_damage(FileSystem& files, const std::string& directory,
                               const CheckpointMetadata& metadata, bool read_data) {
  std::vector<Error> damage;
  for (const StateFile* file : files_of(metadata)) {
    Result<void> verified = verify_file(files, state_file_path(directory, *file), *file, read_data);
    if (!verified) damage.push_back(std::move(verified).error());
  }
  return damage;
}

Result<void> verify_files(FileSystem& files, const std::string& directory,
                          const CheckpointMetadata& metadata, bool read_data) {
  for (const StateFile* file : files_of(metadata)) {
    SR_TRY(verify_file(files, state_file_path(directory, *file), *file, read_data));
  }
  return {};
}

}  // namespace streamrun
