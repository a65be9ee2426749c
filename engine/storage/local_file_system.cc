#include <streamrun/storage/local_file_system.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix_error.h"
#include "posix_file.h"

namespace streamrun {
namespace {

constexpr mode_t kDirectoryMode = 0750;

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::file;
  if (S_ISDIR(mode)) return FileKind::directory;
  return S_ISLNK(mode) ? FileKind::link : FileKind::other;
}

FileStatus status_of(const struct stat& found, std::string path, bool is_link) {
  return {.path = std::move(path),
          .kind = kind_of(found.st_mode),
          .size = static_cast<std::uint64_t>(found.st_size),
          .modified_unix_milliseconds =
              std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1'000'000,
          .is_link = is_link,
          .identity = std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino)};
}

bool leads_nowhere(int errno_value) {
  return errno_value == ENOENT || errno_value == ENOTDIR || errno_value == ELOOP;
}

/// What stands under `name` in the folder `directory` (or AT_FDCWD); links are followed.
Result<FileStatus> status_at(int directory, const char* name, const std::string& path) {
  struct stat found {};
  if (::fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return posix_error(errno, "look at", path);
  }
  const bool is_link = S_ISLNK(found.st_mode);
  struct stat target {};
  if (is_link && ::fstatat(directory, name, &target, 0) == 0) {
    found = target;
  } else if (is_link && !leads_nowhere(errno)) {
    return posix_error(errno, "follow the link", path);
  }
  return status_of(found, path, is_link);
}

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

Result<DirectoryStream> open_directory(const std::string& path) {
  FileDescriptor descriptor =
      SR_TRY(open_descriptor(path, O_RDONLY | O_DIRECTORY, "open the folder"));
  DirectoryStream stream(::fdopendir(descriptor.number()));
  if (!stream) return posix_error(errno, "open the folder", path);
  descriptor.release();  // the stream closes it
  return stream;
}

/// For file systems without a rename that refuses to replace. A crash between the two calls leaves
/// both names, never none.
Result<bool> link_and_unlink(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return false;
    return posix_error(errno, "rename to " + to, from);
  }
  if (::unlink(from.c_str()) != 0) return posix_error(errno, "rename to " + to, from);
  return true;
}

class LocalFileSystem final : public FileSystem {
 public:
  Result<FileStatus> status(const std::string& path) override {
    SR_TRY(check_path(path));
    return status_at(AT_FDCWD, path.c_str(), path);
  }

  Result<std::vector<FileStatus>> list(const std::string& directory) override {
    const DirectoryStream stream = SR_TRY(open_directory(directory));
    std::vector<FileStatus> found;
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string name = &entry->d_name[0];
      if (name == "." || name == "..") continue;
      const std::string path = join_path(directory, name);
      Result<FileStatus> status = status_at(::dirfd(stream.get()), name.c_str(), path);
      if (status) {
        found.push_back(*std::move(status));
      } else if (status.error().code != ErrorCode::path) {  // removed meanwhile is no failure
        return std::move(status).error();
      }
    }
    if (errno != 0) return posix_error(errno, "read the folder", directory);
    std::sort(found.begin(), found.end(),
              [](const FileStatus& a, const FileStatus& b) { return a.path < b.path; });
    return found;
  }

  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    return open_posix_file(path, 0);
  }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override {
    return open_posix_file(path, O_NOFOLLOW);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    return create_posix_file(path);
  }

  Result<bool> create_directory(const std::string& path) override {
    SR_TRY(check_path(path));
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) return true;
    const int reason = errno;
    struct stat found {};
    if (reason == EEXIST && ::stat(path.c_str(), &found) == 0) {
      if (S_ISDIR(found.st_mode)) return false;
      return posix_error(ENOTDIR, "create the folder", path);
    }
    return posix_error(reason, "create the folder", path);
  }

  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override {
    SR_TRY(check_path(from));
    SR_TRY(check_path(to));
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
      return true;
    if (errno == EEXIST) return false;
    if (errno == EINVAL || errno == ENOSYS) return link_and_unlink(from, to);
    return posix_error(errno, "rename to " + to, from);
  }

  Result<bool> link(const std::string& from, const std::string& to) override {
    SR_TRY(check_path(from));
    SR_TRY(check_path(to));
    if (::link(from.c_str(), to.c_str()) == 0) return true;
    // Others' files can't be linked where the kernel protects links.
    if (errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) return false;
    return posix_error(errno, "link to " + to, from);
  }

  Result<bool> remove_file(const std::string& path) override {
    SR_TRY(check_path(path));
    if (::unlink(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return posix_error(errno, "remove the file", path);
  }

  Result<bool> remove_directory(const std::string& path) override {
    SR_TRY(check_path(path));
    if (::rmdir(path.c_str()) == 0) return true;
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return false;
    return posix_error(errno, "remove the folder", path);
  }

  Result<void> sync_directory(const std::string& path) override {
    const FileDescriptor descriptor =
        SR_TRY(open_descriptor(path, O_RDONLY | O_DIRECTORY, "open the folder"));
    if (::fsync(descriptor.number()) == 0) return {};
    Error error = posix_error(errno, "make the names in the folder durable", path);
    error.code = ErrorCode::store_fsync;
    return error;
  }

  Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                           std::string_view note) override {
    return lock_posix_file(path, note);
  }
  Result<std::optional<std::string>> lock_holder(const std::string& path) override {
    return holder_of_posix_lock(path);
  }
};

}  // namespace

Result<void> check_local_output(const std::string& folder) {
  SR_TRY(check_path(folder));
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0) {
    const bool is_missing = errno == ENOENT && ::lstat(folder.c_str(), &found) != 0;
    const std::string parent = parent_path(folder);
    if (is_missing && parent != folder) return check_local_output(parent);
    return posix_error(errno, "write to the folder", folder);
  }
  if (!S_ISDIR(found.st_mode)) {
    return Error{.code = ErrorCode::path,
                 .message = "the output is not a folder",
                 .where = folder,
                 .retry = Retry::no};
  }
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  return posix_error(errno, "write to the folder", folder);
}

std::unique_ptr<FileSystem> make_local_file_system() {
  return std::make_unique<LocalFileSystem>();
}

}  // namespace streamrun
