#include "local_folders.h"

#include <string_view>
#include <utility>

namespace streamrun {
namespace {

constexpr std::string_view kPrefix = "streamrun-rocksdb-";
constexpr std::string_view kLockName = ".lock";

/// The prefix and a uuid of 32 hex digits (R3: names of ours only).
bool is_name_of_ours(std::string_view name) {
  return name.size() == kPrefix.size() + 32 && name.starts_with(kPrefix) &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

/// Those whose lock can be had. One without a lock file is about to get it.
void remove_of_dead(FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) return;
  for (const FileStatus& entry : *entries) {
    const bool is_one = entry.kind == FileKind::directory && !entry.is_link &&
                        is_name_of_ours(base_name(entry.path));
    if (!is_one) continue;
    const std::string lock_path = join_path(entry.path, kLockName);
    const Result<bool> has_lock = files.exists(lock_path);
    if (!has_lock || !*has_lock) continue;
    const auto lock = files.lock(lock_path, "being removed");
    if (lock) remove_local_tree(files, entry.path);
  }
}

}  // namespace

void remove_local_tree(FileSystem& files, const std::string& path) {
  const auto entries = files.list(path);
  if (!entries) return;
  for (const FileStatus& entry : *entries) {
    if (base_name(entry.path) == kLockName) continue;
    if (entry.kind == FileKind::directory && !entry.is_link) {
      remove_local_tree(files, entry.path);
    } else {
      static_cast<void>(files.remove_file(entry.path));
    }
  }
  static_cast<void>(files.remove_file(join_path(path, kLockName)));
  static_cast<void>(files.remove_directory(path));
}

Result<std::unique_ptr<LocalFolders>> LocalFolders::open(
    FileSystem& files, const std::vector<std::string>& directories, Random& random,
    std::string_view note) {
  std::unique_ptr<LocalFolders> folders(new LocalFolders(files));
  for (const std::string& directory : directories) {
    SR_TRY(files.create_directories(directory));
    remove_of_dead(files, directory);
    Folder folder{.path = join_path(directory, std::string(kPrefix) + random.uuid()), .lock = {}};
    SR_TRY(files.create_directory(folder.path));
    folder.lock = SR_TRY(files.lock(join_path(folder.path, kLockName), note));
    folders->folders_.push_back(std::move(folder));
  }
  return folders;
}

// NOLINTNEXTLINE(bugprone-exception-escape): for want of memory only
LocalFolders::~LocalFolders() {
  for (const Folder& folder : folders_) remove_local_tree(files_, folder.path);
}

std::string LocalFolders::place_for(const std::string& name) {
  return join_path(folders_[next_.fetch_add(1) % folders_.size()].path, name);
}

void LocalFolders::remove(const std::string& path) {
  remove_local_tree(files_, path);
}

}  // namespace streamrun
