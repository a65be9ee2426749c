#pragma once

#include <streamrun/config/configuration.h>
#include <streamrun/config/yaml_reader.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// What a flag of the command line says about an option.
struct FlagSetting {
  std::string key;
  std::string value;
  std::string flag;  ///< as it is typed: `-p`
};

/// Everything that a configuration is made of before any job's code runs; the caller has read it
/// from the world.
struct ConfigurationSources {
  std::map<std::string, std::string> checkpoint;  ///< what `Configuration::to_map` recorded
  std::string checkpoint_name;                    ///< `chk-17`
  std::optional<ConfigFile> file;
  std::vector<std::pair<std::string, std::string>> environment;  ///< all variables, in any order
  std::vector<std::string>
      environment_flags;  ///< long flags that may come from the environment: `log-level`
  std::vector<std::string> definitions;  ///< of `-D`: `key=value`
  std::vector<FlagSetting> flags;
};

/// A configuration and all that is to be said about it. With errors it is not to be used. Warnings
/// are about likely slips; notes about keys that are right but change nothing.
struct LoadedConfiguration {
  Configuration configuration;
  std::vector<Error> errors;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;
};

/// Puts the layers together and checks them. An empty environment variable counts as unset.
LoadedConfiguration load_configuration(const ConfigurationSources& sources);

}  // namespace streamrun
