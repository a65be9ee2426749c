#include <streamrun/base/checksum.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace streamrun {
namespace {

/// What a checksum of a state file is over.
constexpr std::size_t kCheckedBytes = std::size_t{1} << 20U;

StateFileReader::ReadAt reader_of_bytes(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, char* into, std::size_t length) -> Result<void> {
    bytes.copy(into, length, offset);
    return {};
  };
}

StateFileReader::ReadAt reader_of_file(std::shared_ptr<ReadableFile> file, std::string path) {
  return [file = std::move(file), path = std::move(path)](std::uint64_t offset, char* into,
                                                          std::size_t length) -> Result<void> {
    const std::size_t count = SR_TRY(file->read_at(offset, into, length));
    if (count == length) return {};
    return Error{.code = ErrorCode::state_corrupt,
                 .message = "state file is shorter than its index says",
                 .where = path + ", offset " + std::to_string(offset + count),
                 .retry = Retry::no};
  };
}

}  // namespace

Result<std::shared_ptr<ReadableFile>> open_state_file(const StateFile& file,
                                                      FileSystem* file_system) {
  SR_ASSERT(file_system != nullptr, "a state file comes with its file system");
  Result<std::unique_ptr<ReadableFile>> opened = file_system->open_no_follow(file.path);
  if (!opened) {
    Error error = std::move(opened).error();
    const bool missing = error.code == ErrorCode::path;
    if (missing) error.code = ErrorCode::state_missing;
    error.message =
        missing ? "a state file of the checkpoint is missing" : "state file: " + error.message;
    error.retry = Retry::no;
    return error;
  }
  std::shared_ptr<ReadableFile> readable = *std::move(opened);
  if (readable->size() != file.length) {
    return Error{.code = ErrorCode::state_corrupt,
                 .message = "state file has " + std::to_string(readable->size()) +
                            " bytes, the checkpoint recorded " + std::to_string(file.length),
                 .where = file.path,
                 .retry = Retry::no};
  }
  return readable;
}

Result<void> read_checked(const StateFile& file, FileSystem* file_system,
                          const std::function<Result<void>(std::string_view bytes)>& use) {
  const std::shared_ptr<ReadableFile> from = SR_TRY(open_state_file(file, file_system));
  const auto buffer = std::make_unique<char[]>(kCheckedBytes);
  std::uint64_t offset = 0;
  for (const std::uint32_t expected : file.crc32c) {
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(kCheckedBytes, file.length - offset));
    const std::size_t count = SR_TRY(from->read_at(offset, buffer.get(), length));
    const std::string_view bytes(buffer.get(), length);
    if (count != length || crc32c(bytes) != expected) {
      return Error{.code = ErrorCode::state_corrupt,
                   .message = "a state file does not have the bytes that were written",
                   .where = file.path + ", offset " + std::to_string(offset),
                   .retry = Retry::no};
    }
    SR_TRY(use(bytes));
    offset += length;
  }
  return {};
}

Result<StateFileReader> open_state(const StateHandle& data, FileSystem* file_system) {
  if (data.sst) {
    return Error{.code = ErrorCode::job_mismatch,
                 .message =
                     "the state lies in files of RocksDB, which only the rocksdb state "
                     "backend reads",
                 .where = data.file ? data.file->path : "inline state",
                 .why =
                     "checkpoints of that backend consist of them if they are incremental, the "
                     "first, full one too; savepoints are in a form that every backend reads",
                 .tries = {"streamrun run -D state.backend.type=rocksdb -s PATH"},
                 .retry = Retry::no};
  }
  if (!data.file) {
    return StateFileReader::open("inline state", data.size(), reader_of_bytes(data.inline_bytes));
  }
  const std::string& path = data.file->path;
  return StateFileReader::open(
      path, data.size(), reader_of_file(SR_TRY(open_state_file(*data.file, file_system)), path));
}

}  // namespace streamrun
