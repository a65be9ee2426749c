#include <streamrun/config/conf_search.h>

#include <array>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::array<std::string_view, 4> kFileNames = {"flink-conf.yaml", "flink-conf.yml",
                                                        "config.yaml", "config.yml"};

std::string inside(std::string_view folder, std::string_view name) {
  return folder.ends_with('/') ? fmt::format("{}{}", folder, name)
                               : fmt::format("{}/{}", folder, name);
}

/// The strongest configuration file of a folder, which may have none.
ConfLocation look_into(const ConfSearch& search, const std::string& folder) {
  ConfLocation location;
  for (const std::string_view name : kFileNames) {
    const std::string file = inside(folder, name);
    if (search.kind_of(file) != PathKind::file) continue;
    if (location.file.empty()) {
      location.file = file;
    } else {
      location.warnings.push_back(
          fmt::format("{} is not read: {} goes before it", file, location.file));
    }
  }
  return location;
}

Result<ConfLocation> look_into_named(const ConfSearch& search, const std::string& path,
                                     std::string_view named_by, bool may_be_file) {
  const PathKind kind = search.kind_of(path);
  if (kind == PathKind::file && may_be_file) return ConfLocation{.file = path, .warnings = {}};
  if (kind != PathKind::folder) {
    return Error{.code = ErrorCode::path,
                 .message = kind == PathKind::file
                                ? fmt::format("{} names a file, not a folder", named_by)
                                : fmt::format("{} names what does not exist", named_by),
                 .where = path,
                 .retry = Retry::no};
  }
  ConfLocation location = look_into(search, path);
  if (location.file.empty()) {
    return Error{.code = ErrorCode::config,
                 .message = fmt::format("{} names a folder without flink-conf.yaml or config.yaml",
                                        named_by),
                 .where = path,
                 .retry = Retry::no};
  }
  return location;
}

std::vector<std::string> usual_folders(const ConfSearch& search) {
  std::vector<std::string> folders = {"conf"};
  if (!search.xdg_config_home.empty()) {
    folders.push_back(inside(search.xdg_config_home, "streamrun"));
  } else if (!search.home.empty()) {
    folders.push_back(inside(search.home, ".config/streamrun"));
  }
  folders.emplace_back("/etc/streamrun");
  return folders;
}

}  // namespace

Result<ConfLocation> find_configuration_file(const ConfSearch& search) {
  SR_ASSERT(search.kind_of != nullptr, "a search needs to see the files");
  if (!search.conf_flag.empty()) return look_into_named(search, search.conf_flag, "--conf", true);
  if (!search.streamrun_conf_dir.empty()) {
    return look_into_named(search, search.streamrun_conf_dir, "STREAMRUN_CONF_DIR", false);
  }
  if (!search.flink_conf_dir.empty())
    return look_into_named(search, search.flink_conf_dir, "FLINK_CONF_DIR", false);
  for (const std::string& folder : usual_folders(search)) {
    ConfLocation location = look_into(search, folder);
    if (!location.file.empty()) return location;
  }
  return ConfLocation{};
}

}  // namespace streamrun
