#pragma once

#include <streamrun/base/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// One key of a configuration file, with the names of the maps around it and dots before it, and
/// its value as text. Line and column are those of the key, from 1.
struct ConfigEntry {
  std::string key;
  std::string value;
  std::string file;
  int line = 0;
  int column = 0;

  /// `file:line`, as origins are printed.
  std::string place() const;
  /// `file:line:column`, as errors are printed.
  std::string exact_place() const;
};

/// What a file says and everything that is wrong with its text, in the order of lines. Entries are
/// only a help for finding further errors once `errors` is not empty.
struct ConfigFile {
  std::vector<ConfigEntry> entries;
  std::vector<Error> errors;
};

/// Larger files are refused.
constexpr std::size_t kMaxConfigFileBytes = 1024UL * 1024UL;

/// Reads the bytes of `flink-conf.yaml` or `config.yaml` as YAML with dotted keys, nested ones, or
/// both. Lists become YAML in flow style. `path` is only what places are called. Whether keys exist
/// and values fit is not looked at.
ConfigFile load_configuration_file(std::string_view path, std::string_view text);

}  // namespace streamrun
