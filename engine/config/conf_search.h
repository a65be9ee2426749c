#pragma once

#include <streamrun/base/result.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// What stands at a path, links followed.
enum class PathKind { nothing, file, folder };

/// What the search for the configuration depends on. Values that are empty count as unset.
struct ConfSearch {
  std::string conf_flag;           ///< of `--conf`: a file or a folder
  std::string streamrun_conf_dir;  ///< `STREAMRUN_CONF_DIR`
  std::string flink_conf_dir;      ///< `FLINK_CONF_DIR`
  std::string xdg_config_home;     ///< `XDG_CONFIG_HOME`
  std::string home;                ///< `HOME`
  std::function<PathKind(const std::string&)> kind_of;
};

struct ConfLocation {
  std::string file;  ///< empty: there is none, which is fine
  std::vector<std::string> warnings;
};

/// Finds the configuration file: `--conf`, `STREAMRUN_CONF_DIR`, `FLINK_CONF_DIR`, then the first
/// with a file in it of `conf`, `$XDG_CONFIG_HOME/streamrun` (by default `~/.config/streamrun`) and
/// `/etc/streamrun`. A place that someone named must have one: E-PATH if it does not exist, E-CONF
/// if nothing is in it. In a folder `flink-conf.yaml` (or
/// `.yml`) goes before `config.yaml` (or `.yml`), and a warning names what is passed over.
Result<ConfLocation> find_configuration_file(const ConfSearch& search);

}  // namespace streamrun
