#pragma once

#include <streamrun/base/result.h>
#include <streamrun/config/config_option.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun {

/// Who gave a value, weakest first: the strongest one counts. The command line is the strongest, so
/// that an operator is never locked out; a job's own code may override the file.
enum class Origin { default_value, checkpoint, file, job, environment, definition, flag };

/// One line of `streamrun config`.
struct EffectiveEntry {
  std::string key;         ///< the current name
  std::string written_as;  ///< the name that was used, which may be an older one
  std::string value;       ///< as it may be shown: secrets are masked
  Origin origin = Origin::default_value;
  std::string from;           ///< `conf/flink-conf.yaml:7`, `-D (flag)`, `default (Flink: 1)`, …
  std::string flink_default;  ///< where ours differs, else empty
};

/// Configuration values by key, each with where it came from. Everything in it has been checked
/// against its type, so reading never fails. A value: copy it freely; not synchronised.
class Configuration {
 public:
  /// Puts a value into the layer of `origin`; `where` names the place (file and line, variable,
  /// flag, checkpoint). Any name of an option will do. Within a layer a later value replaces an
  /// earlier one, but two names of one option with different values contradict each other. E-CONF
  /// for that, for a value of the wrong form, and for an unknown key unless `config.unknown-keys`
  /// is `warn` so far. Keys that mean nothing to one process are taken and dropped.
  Result<void> set(std::string_view key, std::string_view value, Origin origin,
                   std::string_view where = {});

  /// The effective value of an option that has a default.
  template <typename T>
  T get(const ConfigOption<T>& option) const {
    std::optional<T> value = find(option);
    SR_ASSERT(value.has_value(), "an option without a default was read with get");
    return *std::move(value);
  }
  /// The effective value: what was set, else the default, else nothing.
  template <typename T>
  std::optional<T> find(const ConfigOption<T>& option) const {
    const std::optional<std::string> text = text_of(option.key);
    if (!text) return std::nullopt;
    auto value = OptionType<T>::parse(*text);
    SR_ASSERT(value.has_value(), "a configuration value was not checked");
    return *std::move(value);
  }

  /// Who gave the value of `key` (any name of it); `default_value` if nobody.
  Origin origin_of(std::string_view key) const;
  /// Where that was, as `streamrun config` prints it.
  std::string from(std::string_view key) const;

  /// All values that are set or have a default, sorted by key.
  std::vector<EffectiveEntry> entries() const;
  /// What was set, by current key, to be recorded in a checkpoint: without secrets and without what
  /// concerns one run.
  std::map<std::string, std::string> to_map() const;
  /// The effective values under a prefix (`s3.`, `pipeline.global-job-parameters.`), by full key,
  /// secrets included.
  std::map<std::string, std::string> with_prefix(std::string_view prefix) const;

 private:
  struct Setting {
    std::string value;
    std::string written_as;
    std::string where;
    /// Given by an older key that several options share: gives way to the option's own names,
    /// whatever the layer.
    bool stands_in = false;
  };
  struct Found {
    const Setting* setting;
    Origin origin;
  };
  static constexpr std::size_t kOrigins = 7;

  Result<void> store(const std::string& key, Setting setting, Origin origin);
  std::optional<Found> strongest(const std::string& key) const;
  std::optional<std::string> text_of(std::string_view key) const;
  static std::string origin_text(const Found& found);
  std::map<std::string, Found> strongest_of_all() const;

  std::array<std::map<std::string, Setting>, kOrigins> layers_;
};

}  // namespace streamrun
