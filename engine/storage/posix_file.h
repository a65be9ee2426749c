#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace streamrun {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  /// Hands it to the caller, who closes it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

/// `open(2)`, closed on exec, repeated when a signal interrupts it. `what` goes into the error:
/// "cannot <what>".
Result<FileDescriptor> open_descriptor(const std::string& path, int flags, std::string_view what);

/// Opens a regular file for reading; refuses anything else without waiting for it. `extra_flags`:
/// O_NOFOLLOW or 0.
Result<std::unique_ptr<ReadableFile>> open_posix_file(const std::string& path, int extra_flags);
/// Creates a file under a free name.
Result<std::unique_ptr<WritableFile>> create_posix_file(const std::string& path);
/// Takes the lock file `path` and writes `note` into it.
Result<std::unique_ptr<FolderLock>> lock_posix_file(const std::string& path, std::string_view note);
/// See `FileSystem::lock_holder`.
Result<std::optional<std::string>> holder_of_posix_lock(const std::string& path);

/// Writes all of `bytes` at the file position.
Result<void> write_all(int descriptor, std::string_view bytes, const std::string& path);

}  // namespace streamrun
