#pragma once

#include <streamrun/base/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// What a name in a folder is. Links are followed; `link` is one that leads nowhere.
enum class FileKind { file, directory, link, other };

struct FileStatus {
  std::string path;  ///< as it was asked for, or folder + "/" + name in a listing
  FileKind kind = FileKind::file;
  std::uint64_t size = 0;
  std::int64_t modified_unix_milliseconds = 0;
  bool is_link = false;  ///< a symbolic link stands there, whatever `kind` it leads to
  /// Device and inode as one text: equal for two names of one file; empty where the store has none.
  std::string identity = {};
};

/// A file being written. Destroyed before `close`, nothing is promised about it.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Writes all of it or fails.
  virtual Result<void> append(std::string_view bytes) = 0;
  /// On return every byte appended so far survives a power cut (its name may not:
  /// `sync_directory`). After a failure the file is to be abandoned: pages may have been marked
  /// clean, so a retry would lie. Nothing is appended after it: a store that makes bytes durable by
  /// finishing the file does that here.
  virtual Result<void> sync() = 0;
  /// Closes and reports what closing reports. Not again after a failure.
  virtual Result<void> close() = 0;
};

/// A regular file open for reading, by any number of threads.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Up to `length` bytes at `offset` into `into`; fewer only at the end of the file. Returns the
  /// count.
  virtual Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) = 0;
  /// All `length` bytes, if that takes no waiting: they are in memory already. Else false, and what
  /// is in `into` then means nothing. For threads that must not block.
  virtual bool read_now(std::uint64_t offset, char* into, std::size_t length) {
    (void)offset;
    (void)into;
    (void)length;
    return false;
  }
  virtual std::uint64_t size() const = 0;
};

/// An exclusive lock on a folder that ends with this object or the process. Thread-safe.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
  /// E-LOCK if the store let another process take it over, which it can where locks do not end with
  /// their holder. Right before each step that makes a checkpoint exist.
  virtual Result<void> check() { return {}; }
  /// Takes away what the lock left in the folder, while it is still held.
  virtual Result<void> remove_file() = 0;
};

/// One store (local disk, HDFS, S3, memory). Calls block, so they run on I/O threads; thread-safe.
/// Paths are the store's own, absolute and with `/`. Errors carry E-PATH (not there), E-PERM,
/// E-STORE-FULL, E-STORE-RO, E-STORE-FSYNC, E-STORE-IO, with the path in `where`.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// The one spelling of a path: with what the store adds to it, such as its host, and without what
  /// means nothing. Asks nobody. E-PATH for one that can't be in this store.
  virtual Result<std::string> canonical(const std::string& path) const;
  /// Fails with E-PATH if nothing is there.
  virtual Result<FileStatus> status(const std::string& path) = 0;
  /// Whether something is there; an error other than "not there" stays an error: unreadable is not
  /// gone.
  Result<bool> exists(const std::string& path);
  /// What the folder holds, sorted by name; `.` and `..` left out.
  virtual Result<std::vector<FileStatus>> list(const std::string& directory) = 0;

  virtual Result<std::unique_ptr<ReadableFile>> open(const std::string& path) = 0;
  /// Opens a regular file that must not be a symbolic link (what a checkpoint refers to).
  virtual Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) = 0;
  /// Creates a new file; fails if the name is taken.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;

  /// Creates one folder; `false` if it is there already.
  virtual Result<bool> create_directory(const std::string& path) = 0;
  /// Creates what is missing of a path and makes each new name durable.
  Result<void> create_directories(const std::string& path);

  /// Moves a file to a name that must be free: `false` if it is taken (nothing has changed).
  virtual Result<bool> rename_no_replace(const std::string& from, const std::string& to) = 0;
  /// Gives a file one more name, which must be free; `false` if that can't be done here, and a copy
  /// is needed: another disk, or a store without such names.
  virtual Result<bool> link(const std::string& from, const std::string& to);
  /// Removes one file; `false` if it is not there.
  virtual Result<bool> remove_file(const std::string& path) = 0;
  /// Removes one empty folder; `false` if it is not there, or not empty.
  virtual Result<bool> remove_directory(const std::string& path) = 0;
  /// On return the names in this folder (created, renamed, removed) survive a power cut.
  virtual Result<void> sync_directory(const std::string& path) = 0;

  /// Takes the lock file `path` (created if missing) for this process and writes `note` into it;
  /// E-LOCK, with the holder's note, while another holds it.
  virtual Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                                   std::string_view note) = 0;
  /// The note of the process that holds the lock file `path`; nothing if it is free or not there.
  /// Changes nothing. E-LOCK if the store can't lock, so that it can't be told.
  virtual Result<std::optional<std::string>> lock_holder(const std::string& path) = 0;

  /// Makes `bytes` appear under `directory/name` at once or not at all, durably on return; `false`
  /// if the name is taken. `attempt` is part of the name under which it is written first
  /// (`.name.tmp-<attempt>`).
  virtual Result<bool> publish(const std::string& directory, const std::string& name,
                               std::string_view bytes, const std::string& attempt);

  /// The whole file, refusing one above `limit` bytes with E-META-LIMIT.
  Result<std::string> read_all(const std::string& path, std::uint64_t limit);
};

/// `directory + "/" + name`, with exactly one slash between.
std::string join_path(std::string_view directory, std::string_view name);
std::string parent_path(std::string_view path);
std::string base_name(std::string_view path);
/// Absolute, without `.`, `..` and doubled slashes, as text: no link is followed.
std::string absolute_path(std::string_view path, std::string_view working_directory);

}  // namespace streamrun
