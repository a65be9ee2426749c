#include "state_folder.h"

#include <streamrun/storage/file_system.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace streamrun {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_private(const std::string& folder) {
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/// What can't be looked at is none.
bool is_folder(const std::string& path) {
  std::error_code problem;
  return std::filesystem::is_directory(path, problem);
}

std::optional<std::string> folder_of_person() {
  const std::string state = variable("XDG_STATE_HOME");
  const std::string home = variable("HOME");
  if (state.starts_with('/')) return join_path(state, "streamrun");
  if (home.starts_with('/') && is_folder(home)) return join_path(home, ".local/state/streamrun");
  return std::nullopt;
}

}  // namespace

std::string state_folder_name() {
  if (auto folder = folder_of_person()) return *std::move(folder);
  return join_path(std::filesystem::temp_directory_path().string(),
                   "streamrun-" + std::to_string(::geteuid()));
}

std::optional<std::string> present_state_folder() {
  std::string folder = state_folder_name();
  const bool is_usable = folder_of_person() ? is_folder(folder) : is_private(folder);
  if (!is_usable) return std::nullopt;
  return folder;
}

std::optional<std::string> writable_state_folder() {
  std::string folder = state_folder_name();
  std::error_code problem;
  if (folder_of_person()) {
    std::filesystem::create_directories(folder, problem);
  } else if ((::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) || !is_private(folder)) {
    return std::nullopt;
  }
  if (problem || ::access(folder.c_str(), W_OK | X_OK) != 0) return std::nullopt;
  return folder;
}

}  // namespace streamrun
