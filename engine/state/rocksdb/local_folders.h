#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/random.h>
#include <streamrun/storage/file_system.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Removes all of a folder that can be removed, its lock last. Links are not followed.
void remove_local_tree(FileSystem& files, const std::string& path);

/// Folders on the local disk for what does not outlive the process: one in each of several
/// directories, `streamrun-rocksdb-<32 hex>`, with a lock by which others know that it is in use.
/// What dead processes left there is removed at the start. Any thread.
class LocalFolders {
 public:
  /// `note` says whose they are. Blocking.
  static Result<std::unique_ptr<LocalFolders>> open(FileSystem& files,
                                                    const std::vector<std::string>& directories,
                                                    Random& random, std::string_view note);
  ~LocalFolders();  // NOLINT(bugprone-exception-escape)
  LocalFolders(const LocalFolders&) = delete;
  LocalFolders& operator=(const LocalFolders&) = delete;

  /// A path for a folder of this name, which is not made, in one folder after another.
  std::string place_for(const std::string& name);
  /// Removes a folder with all that is in it, if it can.
  void remove(const std::string& path);

 private:
  struct Folder {
    std::string path;
    std::unique_ptr<FolderLock> lock;
  };
  explicit LocalFolders(FileSystem& files) : files_(files) {}

  FileSystem& files_;
  std::vector<Folder> folders_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace streamrun
