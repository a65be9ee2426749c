#pragma once

#include <streamrun/base/result.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "database.h"

namespace streamrun {

/// The SST files that hold all of a database at one moment. They stay, whatever becomes of the
/// database, until this goes: under names of their own in a folder beside it, so that the database
/// may remove what it needs no more; or, where a file can't have two names, it removes nothing.
/// Immutable; any thread.
class LiveFiles {
 public:
  struct File {
    std::uint64_t number = 0;  ///< another one for each file of the database, for ever
    std::string path;
    std::uint64_t bytes = 0;
    std::optional<std::uint32_t> crc32c = {};  ///< of all of it as RocksDB wrote it, if it knows
    SstFile sst;                               ///< with the state's number in the table
  };

  /// Writes what is in memory to files first. Nobody writes meanwhile. `local`, the disk of the
  /// database, outlives it; `folder` is on it and not there. Blocking.
  static Result<std::shared_ptr<const LiveFiles>> take(const std::shared_ptr<Database>& database,
                                                       FileSystem& local,
                                                       const std::string& folder);
  /// Blocking: files go that were only kept for it.
  ~LiveFiles();
  LiveFiles(const LiveFiles&) = delete;
  LiveFiles& operator=(const LiveFiles&) = delete;

  /// For who finds that a file is not what RocksDB wrote: the database is used no more. Any thread.
  Error note_damaged(const File& file) const;
  const std::vector<File>& files() const { return files_; }
  /// Keys of the state with most of them, if no file says anything of a key that another one knows.
  std::uint64_t most_entries() const { return most_entries_; }

 private:
  LiveFiles(std::shared_ptr<Database> database, FileSystem& local, std::string folder)
      : database_(std::move(database)), local_(local), folder_(std::move(folder)) {}
  /// Whether all have one.
  bool give_names();

  const std::shared_ptr<Database> database_;
  FileSystem& local_;
  const std::string folder_;
  bool holds_deletions_ = true;
  std::vector<File> files_;
  std::uint64_t most_entries_ = 0;
};

}  // namespace streamrun
