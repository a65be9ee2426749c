#pragma once

#include <streamrun/base/error.h>
#include <streamrun/config/configuration_loader.h>
#include <streamrun/storage/file_systems.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flags.h"

namespace streamrun {

/// Everything that is wrong with a configuration, at least one error; as an `ErrorException` it is
/// the first of them.
class ConfigurationErrors : public ErrorException {
 public:
  explicit ConfigurationErrors(std::vector<Error> errors)
      : ErrorException(errors.front()), errors_(std::move(errors)) {}
  const std::vector<Error>& errors() const { return errors_; }

 private:
  std::vector<Error> errors_;
};

/// The configuration of a command, from the file that is found, the environment, `-D`, the
/// command's flags and what a checkpoint recorded; its values are checked also against each other.
/// Throws `ConfigurationErrors` with all that is wrong. Prints warnings and notes on stderr, each
/// once in a process however often it is called.
LoadedConfiguration load_for_command(const GlobalFlags& global,
                                     const std::vector<FlagSetting>& flags,
                                     const std::map<std::string, std::string>& checkpoint,
                                     const std::string& checkpoint_name);

/// The same without a word and without looking for contradictions: `errors` says what is wrong.
LoadedConfiguration load_quietly(const GlobalFlags& global, const std::vector<FlagSetting>& flags,
                                 const std::map<std::string, std::string>& checkpoint,
                                 const std::string& checkpoint_name);

/// Where a folder is that a person wrote into the configuration or behind a flag: relative ones
/// count from the working directory; absolute ones without a scheme are in `fs.default-scheme`.
/// Throws E-PATH for one that can't be read, E-USAGE for a scheme that this binary has no store of.
Place configured_path(std::string_view text, const Configuration& configuration,
                      const FileSystems& stores);

/// The folder that an option names, if it is set. E-CONF, thrown, with the key and where it was
/// set, for what `configured_path` can't read or has no store for.
std::optional<Place> configured_folder(const ConfigOption<std::string>& option,
                                       const Configuration& configuration,
                                       const FileSystems& stores);

/// The environment of the process.
std::map<std::string, std::string> environment_variables();
std::string working_directory();

}  // namespace streamrun
