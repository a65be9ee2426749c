#include <streamrun/base/strings.h>
#include <streamrun/config/configuration.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/option_table.h>
#include <streamrun/config/options.h>

#include <algorithm>

#include <fmt/format.h>

#include "quoted.h"

namespace streamrun {
namespace {

constexpr std::size_t kLongestKey = 256;

Error config_error(std::string message, std::string_view where) {
  return Error{.code = ErrorCode::config,
               .message = std::move(message),
               .where = std::string(where),
               .retry = Retry::no};
}

Error unknown_key(std::string_view key, std::string_view where) {
  const std::string nearest = nearest_key(key);
  const std::string hint = nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
  Error error = config_error(fmt::format("unknown key {}{}", key, hint), where);
  error.why =
      "an unknown key is refused, since it may be a slip; config.unknown-keys: warn lets it pass";
  return error;
}

bool is_well_formed_key(std::string_view key) {
  return !key.empty() && key.size() <= kLongestKey &&
         std::none_of(key.begin(), key.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

/// `bad` with the key in front; the value of a secret key is not repeated.
Error wrong_value(Error bad, std::string_view key, std::string_view value, std::string_view where) {
  const bool hidden = displayed_value(key, value) != value;
  bad.message = fmt::format("{}: {}", key, hidden ? "the value is not of its type" : bad.message);
  bad.where = std::string(where);
  return bad;
}

std::string default_text(const OptionInfo& option) {
  return option.flink_default.empty() ? "default"
                                      : fmt::format("default (Flink: {})", option.flink_default);
}

/// The option that `key` is first of all a name of.
const OptionInfo* option_of(std::string_view key) {
  const std::vector<const OptionInfo*> options = options_called(key);
  return options.empty() ? nullptr : options.front();
}

std::string current_key(std::string_view key) {
  const OptionInfo* option = option_of(key);
  return std::string(option == nullptr ? key : option->key);
}

}  // namespace

Result<void> Configuration::set(std::string_view key, std::string_view value, Origin origin,
                                std::string_view where) {
  SR_ASSERT(origin != Origin::default_value, "defaults are not set");
  if (!is_well_formed_key(key)) {
    return config_error(
        fmt::format("{} is not a key: empty, longer than 256 bytes, or with blanks", quoted(key)),
        where);
  }
  const std::vector<const OptionInfo*> options = options_called(key);
  for (const OptionInfo* option : options) {
    auto checked = option->check(value);
    if (!checked) return wrong_value(std::move(checked).error(), key, value, where);
  }
  Setting setting{
      .value = std::string(value), .written_as = std::string(key), .where = std::string(where)};
  for (const OptionInfo* option : options) {
    setting.stands_in = options.size() > 1 && option->key != key;
    auto stored = store(std::string(option->key), setting, origin);
    if (!stored) return stored;
  }
  if (!options.empty()) return {};
  const KeyStanding standing = standing_of(key);
  if (standing == KeyStanding::meaningless) return {};
  if (standing == KeyStanding::unknown && get(options::kUnknownKeys) == UnknownKeys::error) {
    return unknown_key(key, where);
  }
  return store(std::string(key), std::move(setting), origin);
}

Result<void> Configuration::store(const std::string& key, Setting setting, Origin origin) {
  auto& layer = layers_[static_cast<std::size_t>(origin)];
  const auto [present, is_new] = layer.try_emplace(key, setting);
  if (is_new) return {};
  const Setting& other = present->second;
  const bool differs = other.written_as != setting.written_as && other.value != setting.value;
  if (differs && !setting.stands_in && !other.stands_in) {
    return config_error(fmt::format("{} ({}) and {} ({}) are two names of one option and differ",
                                    other.written_as, origin_text({&other, origin}),
                                    setting.written_as, origin_text({&setting, origin})),
                        setting.where);
  }
  if (!setting.stands_in || other.stands_in) present->second = std::move(setting);
  return {};
}

std::optional<Configuration::Found> Configuration::strongest(const std::string& key) const {
  std::optional<Found> best;
  for (std::size_t i = 0; i < kOrigins; ++i) {
    const auto found = layers_[i].find(key);
    if (found == layers_[i].end()) continue;
    if (best && found->second.stands_in && !best->setting->stands_in) continue;
    best = Found{&found->second, static_cast<Origin>(i)};
  }
  return best;
}

std::optional<std::string> Configuration::text_of(std::string_view key) const {
  const OptionInfo* option = option_of(key);
  SR_ASSERT(option != nullptr && option->key == key, "an option is missing in the table");
  if (const std::optional<Found> found = strongest(std::string(key))) return found->setting->value;
  if (option->default_text.empty()) return std::nullopt;
  return std::string(option->default_text);
}

std::string Configuration::origin_text(const Found& found) {
  const std::string& where = found.setting->where;
  switch (found.origin) {
    case Origin::default_value:
      return "default";
    case Origin::checkpoint:
      return fmt::format("checkpoint {}", where);
    case Origin::job:
      return where.empty() ? "the job's code" : where;
    case Origin::definition:
      return "-D (flag)";
    case Origin::flag:
      return fmt::format("{} (flag)", where);
    case Origin::file:
    case Origin::environment:
      return where;
  }
  return where;
}

Origin Configuration::origin_of(std::string_view key) const {
  const std::optional<Found> found = strongest(current_key(key));
  return found ? found->origin : Origin::default_value;
}

std::string Configuration::from(std::string_view key) const {
  if (const std::optional<Found> found = strongest(current_key(key))) return origin_text(*found);
  const OptionInfo* option = option_of(key);
  return option == nullptr ? "default" : default_text(*option);
}

std::map<std::string, Configuration::Found> Configuration::strongest_of_all() const {
  std::map<std::string, Found> all;
  for (const auto& layer : layers_) {
    for (const auto& [key, setting] : layer) all.insert_or_assign(key, *strongest(key));
  }
  return all;
}

std::vector<EffectiveEntry> Configuration::entries() const {
  std::vector<EffectiveEntry> entries;
  const auto all = strongest_of_all();
  for (const auto& [key, found] : all) {
    const OptionInfo* option = option_of(key);
    entries.push_back(
        {.key = key,
         .written_as = found.setting->written_as,
         .value = displayed_value(key, found.setting->value),
         .origin = found.origin,
         .from = origin_text(found),
         .flink_default = std::string(option == nullptr ? "" : option->flink_default)});
  }
  for (const OptionInfo& option : all_options()) {
    const std::string key(option.key);
    if (option.default_text.empty() || all.contains(key)) continue;
    entries.push_back({.key = key,
                       .written_as = key,
                       .value = displayed_value(key, option.default_text),
                       .origin = Origin::default_value,
                       .from = default_text(option),
                       .flink_default = std::string(option.flink_default)});
  }
  std::sort(entries.begin(), entries.end(),
            [](const EffectiveEntry& a, const EffectiveEntry& b) { return a.key < b.key; });
  return entries;
}

std::map<std::string, std::string> Configuration::to_map() const {
  std::map<std::string, std::string> recorded;
  for (const auto& [key, found] : strongest_of_all()) {
    const std::string& value = found.setting->value;
    const OptionInfo* option = option_of(key);
    const bool of_one_run = option != nullptr && option->of_one_run;
    const bool secret = displayed_value(key, value) != value || is_secret_key(key);
    // What stood in for an option is recorded as it was written, so that it goes on to give way.
    if (!of_one_run && !secret)
      recorded.emplace(found.setting->stands_in ? found.setting->written_as : key, value);
  }
  return recorded;
}

std::map<std::string, std::string> Configuration::with_prefix(std::string_view prefix) const {
  std::map<std::string, std::string> members;
  for (const auto& [key, found] : strongest_of_all()) {
    if (key.starts_with(prefix)) members.emplace(key, found.setting->value);
  }
  return members;
}

}  // namespace streamrun
