#include "load.h"

#include <streamrun/config/conf_search.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/options.h>
#include <streamrun/config/validation.h>
#include <streamrun/storage/local_file_system.h>

#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "command_table.h"
#include "output.h"

namespace streamrun {
namespace {

std::string variable(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

PathKind kind_of(FileSystem& files, const std::string& path) {
  const Result<FileStatus> status = files.status(absolute_path(path, working_directory()));
  if (!status) return PathKind::nothing;
  if (status->kind == FileKind::directory) return PathKind::folder;
  return status->kind == FileKind::file ? PathKind::file : PathKind::nothing;
}

ConfSearch search_for(FileSystem& files, const GlobalFlags& global,
                      const std::map<std::string, std::string>& environment) {
  return {.conf_flag = global.conf,
          .streamrun_conf_dir = variable(environment, "STREAMRUN_CONF_DIR"),
          .flink_conf_dir = variable(environment, "FLINK_CONF_DIR"),
          .xdg_config_home = variable(environment, "XDG_CONFIG_HOME"),
          .home = variable(environment, "HOME"),
          .kind_of = [&files](const std::string& path) { return kind_of(files, path); }};
}

Result<ConfigFile> read_configuration_file(FileSystem& files, const std::string& file) {
  Result<std::string> text =
      files.read_all(absolute_path(file, working_directory()), kMaxConfigFileBytes);
  if (text) return load_configuration_file(file, *text);
  Error error = std::move(text).error();
  if (error.code == ErrorCode::metadata_limit) {
    error.code = ErrorCode::config;
    error.message = "the configuration file is larger than 1 MiB";
  }
  error.where = file;
  return error;
}

/// The file's part of the sources, and what the search for it had to say.
Result<ConfLocation> take_file(FileSystem& files, const GlobalFlags& global,
                               const std::map<std::string, std::string>& environment,
                               ConfigurationSources& sources) {
  ConfLocation location = SR_TRY(find_configuration_file(search_for(files, global, environment)));
  if (!location.file.empty()) {
    sources.file = SR_TRY(read_configuration_file(files, location.file));
  }
  return location;
}

/// The name of a key that a person wrote, so that it is found again where it was written.
std::string name_written(const Configuration& configuration, const std::string& key) {
  for (const EffectiveEntry& entry : configuration.entries()) {
    if (entry.key == key) return entry.written_as;
  }
  return key;
}

}  // namespace

std::map<std::string, std::string> environment_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string working_directory() {
  std::error_code problem;
  const std::filesystem::path path = std::filesystem::current_path(problem);
  if (problem) {
    throw_error({.code = ErrorCode::path,
                 .message = "the working directory cannot be found: " + problem.message(),
                 .retry = Retry::no});
  }
  return path.string();
}

LoadedConfiguration load_quietly(const GlobalFlags& global, const std::vector<FlagSetting>& flags,
                                 const std::map<std::string, std::string>& checkpoint,
                                 const std::string& checkpoint_name) {
  const std::map<std::string, std::string> environment = environment_variables();
  ConfigurationSources sources;
  sources.checkpoint = checkpoint;
  sources.checkpoint_name = checkpoint_name;
  sources.environment.assign(environment.begin(), environment.end());
  sources.environment_flags = all_long_names();
  sources.definitions = global.definitions;
  sources.flags = flags;
  const std::unique_ptr<FileSystem> files = make_local_file_system();
  Result<ConfLocation> location = take_file(*files, global, environment, sources);
  LoadedConfiguration loaded = load_configuration(sources);
  if (!location) {
    loaded.errors.insert(loaded.errors.begin(), std::move(location).error());
  } else {
    loaded.warnings.insert(loaded.warnings.begin(), location->warnings.begin(),
                           location->warnings.end());
  }
  return loaded;
}

LoadedConfiguration load_for_command(const GlobalFlags& global,
                                     const std::vector<FlagSetting>& flags,
                                     const std::map<std::string, std::string>& checkpoint,
                                     const std::string& checkpoint_name) {
  LoadedConfiguration loaded = load_quietly(global, flags, checkpoint, checkpoint_name);
  if (loaded.errors.empty()) loaded.errors = contradictions(loaded.configuration);
  for (const std::string& warning : loaded.warnings) print_warning(warning, global);
  if (!loaded.errors.empty()) throw ConfigurationErrors(loaded.errors);
  for (const std::string& note : loaded.notes) print_note(note, global);
  return loaded;
}

Place configured_path(std::string_view text, const Configuration& configuration,
                      const FileSystems& stores) {
  std::string place(text);
  const auto scheme = configuration.find(options::kDefaultScheme);
  if (scheme && place.starts_with('/')) place = join_path(*scheme, place);
  return value_or_throw(stores.place(place, working_directory()));
}

std::optional<Place> configured_folder(const ConfigOption<std::string>& option,
                                       const Configuration& configuration,
                                       const FileSystems& stores) {
  const auto text = configuration.find(option);
  if (!text) return std::nullopt;
  try {
    return configured_path(*text, configuration, stores);
  } catch (const ErrorException& thrown) {
    const Error& cause = thrown.error();
    const bool by_default_scheme = text->starts_with('/');
    const std::string key(by_default_scheme ? options::kDefaultScheme.key : option.key);
    const std::string value =
        by_default_scheme ? configuration.find(options::kDefaultScheme).value_or("") : *text;
    throw_error({.code = ErrorCode::config,
                 .message = fmt::format("{}: {}: {}", name_written(configuration, key),
                                        displayed_value(key, value), cause.message),
                 .where = configuration.from(key),
                 .why = cause.why,
                 .retry = Retry::no});
  }
}

}  // namespace streamrun
