#include <streamrun/storage/file_system.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {
namespace {

/// How much of a path is the root that its parts lie below: `/`, or a scheme and a host.
std::size_t root_length(std::string_view path) {
  const std::size_t scheme = path.find("://");
  const std::size_t slash = path.find('/');
  if (scheme == std::string_view::npos || slash != scheme + 1) return path.starts_with('/') ? 1 : 0;
  return std::min(path.find('/', scheme + 3), path.size());
}

std::string_view without_trailing_slashes(std::string_view path) {
  const std::size_t root = root_length(path);
  while (path.size() > std::max<std::size_t>(root, 1) && path.back() == '/') path.remove_suffix(1);
  return path;
}

/// Appends the components of `path` to `parts`, undoing one for each `..`.
void append_components(std::string_view path, std::vector<std::string_view>& parts) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
}

}  // namespace

std::string join_path(std::string_view directory, std::string_view name) {
  while (!directory.empty() && directory.back() == '/') directory.remove_suffix(1);
  while (!name.empty() && name.front() == '/') name.remove_prefix(1);
  std::string path(directory);
  path += '/';
  path += name;
  return path;
}

std::string parent_path(std::string_view path) {
  path = without_trailing_slashes(path);
  if (const std::size_t root = root_length(path); path.size() <= root) return std::string(path);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(without_trailing_slashes(path.substr(0, slash + 1)));
}

std::string base_name(std::string_view path) {
  path = without_trailing_slashes(path);
  if (path.size() <= root_length(path)) return {};
  return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::string absolute_path(std::string_view path, std::string_view working_directory) {
  std::vector<std::string_view> parts;
  if (path.empty() || path.front() != '/') append_components(working_directory, parts);
  append_components(path, parts);
  std::string absolute;
  for (const std::string_view part : parts) {
    absolute += '/';
    absolute += part;
  }
  return absolute.empty() ? "/" : absolute;
}

}  // namespace streamrun
