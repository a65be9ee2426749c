#include "posix_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "posix_error.h"

namespace streamrun {
namespace {

constexpr mode_t kFileMode = 0640;
/// From this size on the kernel is told that a file is read front to back, so that it reads ahead
/// further.
constexpr std::uint64_t kReadAheadBytes = std::uint64_t{1} << 20U;
/// How much of a file being written waits at most before the kernel is asked to write it.
constexpr std::uint64_t kWriteBehindBytes = std::uint64_t{8} << 20U;

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(FileDescriptor descriptor, std::uint64_t size, std::string path)
      : descriptor_(std::move(descriptor)), size_(size), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    std::size_t filled = 0;
    while (filled < length) {
      const ssize_t count = ::pread(descriptor_.number(), into + filled, length - filled,
                                    static_cast<off_t>(offset + filled));
      if (count == 0) break;
      if (count > 0) {
        filled += static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        return posix_error(errno, "read the file", path_);
      }
    }
    return filled;
  }
  bool read_now(std::uint64_t offset, char* into, std::size_t length) override {
    // A short count is a page that is not there, or the end of the file: the other way tells which.
    iovec piece{into, length};
    const ssize_t count =
        ::preadv2(descriptor_.number(), &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    return count >= 0 && static_cast<std::size_t>(count) == length;
  }
  std::uint64_t size() const override { return size_; }

 private:
  const FileDescriptor descriptor_;
  const std::uint64_t size_;
  const std::string path_;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> append(std::string_view bytes) override {
    SR_TRY(write_all(descriptor_.number(), bytes, path_));
    written_ += bytes.size();
    if (written_ - sent_ >= kWriteBehindBytes) {
      // The disk begins now rather than at `sync`, which alone promises anything: no error counts.
      static_cast<void>(::sync_file_range(descriptor_.number(), static_cast<off_t>(sent_),
                                          static_cast<off_t>(written_ - sent_),
                                          SYNC_FILE_RANGE_WRITE));
      sent_ = written_;
    }
    return {};
  }

  Result<void> sync() override {
    if (::fsync(descriptor_.number()) == 0) return {};
    Error error = posix_error(errno, "make the file durable", path_);
    error.code = ErrorCode::store_fsync;
    return error;
  }

  Result<void> close() override {
    // Not repeated, even if interrupted: the descriptor is gone and may be another file's already.
    if (::close(descriptor_.release()) == 0) return {};
    return posix_error(errno, "close the file", path_);
  }

 private:
  FileDescriptor descriptor_;
  const std::string path_;
  std::uint64_t written_ = 0;
  std::uint64_t sent_ = 0;  ///< of `written_`, what the kernel was asked to write
};

Error not_regular(const std::string& path, std::string_view what_it_is) {
  return {.code = ErrorCode::store_io,
          .message = "not a regular file but " + std::string(what_it_is),
          .where = path,
          .retry = Retry::no};
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<FileDescriptor> open_descriptor(const std::string& path, int flags, std::string_view what) {
  SR_TRY(check_path(path));
  while (true) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, kFileMode);
    if (number >= 0) return FileDescriptor(number);
    if (errno != EINTR) return posix_error(errno, what, path);
  }
}

Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (count == 0) {
      return posix_error(EIO, "write the file", path);  // no progress and no reason
    } else if (errno != EINTR) {
      return posix_error(errno, "write the file", path);
    }
  }
  return {};
}

Result<std::unique_ptr<ReadableFile>> open_posix_file(const std::string& path, int extra_flags) {
  // Non-blocking: a FIFO that nobody writes to would hold the thread for ever.
  Result<FileDescriptor> opened =
      open_descriptor(path, O_RDONLY | O_NONBLOCK | extra_flags, "open the file");
  if (!opened) {
    const bool refused_link =
        extra_flags == O_NOFOLLOW && opened.error().code == ErrorCode::store_io;
    struct stat link {};
    if (refused_link && ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
      return not_regular(path, "a symbolic link");
    }
    return std::move(opened).error();
  }
  struct stat found {};
  if (::fstat(opened->number(), &found) != 0) return posix_error(errno, "look at the file", path);
  if (S_ISDIR(found.st_mode)) return not_regular(path, "a folder");
  if (!S_ISREG(found.st_mode)) return not_regular(path, "a pipe, socket or device");
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size >= kReadAheadBytes) {
    ::posix_fadvise(opened->number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  return std::unique_ptr<ReadableFile>(
      std::make_unique<PosixReadableFile>(*std::move(opened), size, path));
}

Result<std::unique_ptr<WritableFile>> create_posix_file(const std::string& path) {
  FileDescriptor descriptor =
      SR_TRY(open_descriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, "create the file"));
  return std::unique_ptr<WritableFile>(
      std::make_unique<PosixWritableFile>(std::move(descriptor), path));
}

}  // namespace streamrun
