#include <streamrun/state/open_state.h>

#include <memory>
#include <utility>

namespace streamrun {
namespace {

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

Result<StateFileReader> open_state(const StateHandle& data, FileSystem* file_system) {
  if (data.sst) {
    return Error{.code = ErrorCode::job_mismatch,
                 .message =
                     "the state lies in files of RocksDB, which only the rocksdb state "
                     "backend reads",
                 .where = data.file ? data.file->path : "inline state",
                 .why =
                     "an incremental checkpoint of that backend refers to them; savepoints and "
                     "full checkpoints are in a form that every backend reads",
                 .tries = {"state.backend.type: rocksdb", "streamrun savepoint JOB"},
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
