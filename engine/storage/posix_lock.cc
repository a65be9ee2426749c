#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix_error.h"
#include "posix_file.h"

namespace streamrun {
namespace {

/// Looks of others that may come in between: each takes microseconds.
constexpr int kMostLooks = 10'000;

/// The lock belongs to the open file: the kernel ends it when the descriptor closes, however the
/// process dies.
class PosixFolderLock final : public FolderLock {
 public:
  PosixFolderLock(FileDescriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> remove_file() override {
    if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return {};
    return posix_error(errno, "remove the lock file", path_);
  }

 private:
  const FileDescriptor descriptor_;
  const std::string path_;
};

std::string read_note(int descriptor) {
  std::array<char, 256> note{};
  const ssize_t count = ::pread(descriptor, note.data(), note.size(), 0);
  return count > 0 ? std::string(note.data(), static_cast<std::size_t>(count)) : std::string();
}

/// The store has no locks, such as NFS without its lock service: that says nothing of a holder.
Error cannot_lock(int errno_value, const std::string& path) {
  Error error = posix_error(errno_value, "lock the folder", parent_path(path));
  error.code = ErrorCode::lock;
  error.tries = {
      "put the folder on a file system with locks (flock), or start the lock service of "
      "this one; then the same command again"};
  error.retry = Retry::no;
  return error;
}

Error held(int descriptor, const std::string& path) {
  const std::string holder = read_note(descriptor);
  return {.code = ErrorCode::lock,
          .message = "held by another process" + (holder.empty() ? "" : ": " + holder),
          .where = path,
          .retry = Retry::no};
}

/// Whether `path` still names the file behind `descriptor`.
bool still_named(int descriptor, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(descriptor, &held) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

Result<void> write_note(int descriptor, std::string_view note, const std::string& path) {
  if (::ftruncate(descriptor, 0) != 0) return posix_error(errno, "write the lock file", path);
  return write_all(descriptor, note, path);
}

}  // namespace

Result<std::unique_ptr<FolderLock>> lock_posix_file(const std::string& path,
                                                    std::string_view note) {
  for (int looks = 0;;) {
    FileDescriptor descriptor = SR_TRY(
        open_descriptor(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, "open the lock file"));
    if (::flock(descriptor.number(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return cannot_lock(errno, path);
      // Who only looks shares the lock, for a moment: then it can be shared here too, and a
      // holder's can't.
      const bool is_shared = ::flock(descriptor.number(), LOCK_SH | LOCK_NB) == 0;
      if (is_shared && ++looks < kMostLooks) continue;
      return held(descriptor.number(), path);
    }
    // Who removed the lock file between the two calls has made way for a second holder: start
    // again.
    if (!still_named(descriptor.number(), path)) continue;
    SR_TRY(write_note(descriptor.number(), note, path));
    return std::unique_ptr<FolderLock>(
        std::make_unique<PosixFolderLock>(std::move(descriptor), path));
  }
}

Result<std::optional<std::string>> holder_of_posix_lock(const std::string& path) {
  const Result<FileDescriptor> descriptor =
      open_descriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, "open the lock file");
  if (!descriptor) {
    if (descriptor.error().code == ErrorCode::path) return std::optional<std::string>();
    return descriptor.error();
  }
  // Shared, so that those who look do not take each other for its holder.
  while (::flock(descriptor->number(), LOCK_SH | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return cannot_lock(errno, path);
    return std::optional(read_note(descriptor->number()));
  }
  return std::optional<std::string>();
}

}  // namespace streamrun
