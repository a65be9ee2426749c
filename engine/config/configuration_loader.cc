#include <streamrun/base/crash_point.h>
#include <streamrun/base/strings.h>
#include <streamrun/config/configuration_loader.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/option_table.h>
#include <streamrun/config/options.h>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::string_view kVariablePrefix = "STREAMRUN_";
constexpr std::string_view kFolderVariable = "STREAMRUN_CONF_DIR";

/// A file that is no configuration at all gives this many errors, not a line for each of its lines.
constexpr std::size_t kMaxErrors = 100;

/// A value on its way into the configuration.
struct Given {
  std::string key;
  std::string value;
  Origin origin;
  std::string where;
  std::string exact_where;  ///< for errors: with the column, where there is one
};

/// The key of every environment variable that stands for one.
const std::map<std::string, std::string>& keys_by_variable() {
  static const std::map<std::string, std::string> kKeys = [] {
    std::map<std::string, std::string> keys;
    for (const OptionInfo& option : all_options()) {
      keys.emplace(environment_name(option.key), option.key);
      for (const std::string& other : option.other_keys)
        keys.emplace(environment_name(other), other);
    }
    return keys;
  }();
  return kKeys;
}

class Loader {
 public:
  explicit Loader(const ConfigurationSources& sources) : sources_(sources) {}

  LoadedConfiguration load() && {
    take_checkpoint();
    take_file();
    take_environment();
    take_definitions();
    take_flags();
    // It decides about keys of all layers, so it goes first.
    for (const Given& given : givens_) {
      if (given.key == options::kUnknownKeys.key) put(given);
    }
    for (const Given& given : givens_) {
      if (given.key != options::kUnknownKeys.key) put(given);
    }
    add_notes();
    return std::move(loaded_);
  }

 private:
  void take_checkpoint() {
    for (const auto& [key, value] : sources_.checkpoint) {
      // Written by another version, perhaps: what this one does not know it can't be asked to
      // follow.
      if (standing_of(key) == KeyStanding::unknown) {
        unknown_recorded_.push_back(key);
      } else {
        givens_.push_back({key, value, Origin::checkpoint, sources_.checkpoint_name,
                           fmt::format("checkpoint {}", sources_.checkpoint_name)});
      }
    }
  }

  void take_file() {
    if (!sources_.file) return;
    loaded_.errors = sources_.file->errors;
    for (const ConfigEntry& entry : sources_.file->entries) {
      givens_.push_back({entry.key, entry.value, Origin::file, entry.place(), entry.exact_place()});
    }
  }

  void take_environment() {
    std::set<std::string> flags = {std::string(kFolderVariable)};
    for (const std::string& flag : sources_.environment_flags) flags.insert(environment_name(flag));
    std::vector<std::pair<std::string, std::string>> sorted = sources_.environment;
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [name, value] : sorted) {
      if (!name.starts_with(kVariablePrefix) || value.empty() || flags.contains(name)) continue;
      if (kHasCrashPoints && name == kCrashVariable) continue;
      const auto key = keys_by_variable().find(name);
      if (key == keys_by_variable().end()) {
        warn_of_variable(name, flags);
      } else {
        givens_.push_back({key->second, value, Origin::environment, name, name});
      }
    }
  }

  void warn_of_variable(const std::string& name, const std::set<std::string>& flags) {
    std::vector<std::string> candidates(flags.begin(), flags.end());
    for (const auto& [variable, key] : keys_by_variable()) candidates.push_back(variable);
    const std::string nearest = nearest_of(name, candidates);
    const std::string hint = nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
    loaded_.warnings.push_back(
        fmt::format("{} in the environment is neither a key nor a flag{}", name, hint));
  }

  void take_definitions() {
    for (const std::string& definition : sources_.definitions) {
      const std::size_t equals = definition.find('=');
      const std::string_view key = trim(std::string_view(definition).substr(0, equals));
      if (equals == std::string::npos || key.empty()) {
        loaded_.errors.push_back(
            {.code = ErrorCode::config,
             .message = fmt::format("-D {}: expected -D key=value", key.substr(0, 64)),
             .retry = Retry::no});
        continue;
      }
      givens_.push_back(
          {std::string(key), definition.substr(equals + 1), Origin::definition, "-D", "-D"});
    }
  }

  void take_flags() {
    for (const FlagSetting& setting : sources_.flags) {
      givens_.push_back({setting.key, setting.value, Origin::flag, setting.flag, setting.flag});
    }
  }

  void put(const Given& given) {
    if (loaded_.errors.size() >= kMaxErrors) return;
    auto done = loaded_.configuration.set(given.key, given.value, given.origin, given.where);
    if (!done) {
      Error error = std::move(done).error();
      error.where = given.exact_where;
      loaded_.errors.push_back(std::move(error));
      if (loaded_.errors.size() == kMaxErrors) say_that_it_ends();
      return;
    }
    const KeyStanding standing = standing_of(given.key);
    if (standing == KeyStanding::unknown) {
      warn_of_key(given);
    } else if (given.origin != Origin::checkpoint) {
      remember(given, standing);
    }
  }

  void say_that_it_ends() {
    loaded_.errors.push_back(
        {.code = ErrorCode::config,
         .message = fmt::format("more than {} errors: the rest is not shown", kMaxErrors),
         .retry = Retry::no});
  }

  void warn_of_key(const Given& given) {
    // Looking for the nearest key takes time, so not for each line of a file of something else.
    const std::string nearest = loaded_.warnings.size() < kMaxErrors ? nearest_key(given.key) : "";
    const std::string hint = nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
    loaded_.warnings.push_back(
        fmt::format("unknown key {}{} ({})", given.key, hint, given.exact_where));
  }

  void remember(const Given& given, KeyStanding standing) {
    const std::string shown = fmt::format("{} ({})", given.key, given.where);
    if (standing == KeyStanding::meaningless) meaningless_.push_back(shown);
    const auto called = options_called(given.key);
    const bool unused =
        !called.empty() && std::all_of(called.begin(), called.end(), [](const OptionInfo* option) {
          return option->use == OptionUse::later;
        });
    if (unused || standing == KeyStanding::later) later_.push_back(shown);
  }

  void note(std::string_view what, const std::vector<std::string>& keys) {
    if (!keys.empty()) loaded_.notes.push_back(fmt::format("{}: {}", what, join(keys, ", ")));
  }

  void add_notes() {
    note("keys of Flink's that mean nothing to a single process", meaningless_);
    note("keys of Flink's that streamrun does not use yet", later_);
    note(fmt::format("keys recorded in checkpoint {} that this version does not know",
                     sources_.checkpoint_name),
         unknown_recorded_);
  }

  const ConfigurationSources& sources_;
  std::vector<Given> givens_;
  std::vector<std::string> meaningless_;
  std::vector<std::string> later_;
  std::vector<std::string> unknown_recorded_;
  LoadedConfiguration loaded_;
};

}  // namespace

LoadedConfiguration load_configuration(const ConfigurationSources& sources) {
  return Loader(sources).load();
}

}  // namespace streamrun
