#pragma once

#include <streamrun/config/config_option.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// An option without its C++ type, for tables, help and checks.
struct OptionInfo {
  std::string_view key;
  std::vector<std::string> other_keys;
  std::string_view type;
  std::vector<std::string_view> choices;  ///< of an enum
  std::string_view default_text;          ///< empty: none
  std::string_view flink_default;         ///< empty: as ours
  std::string_view description;
  OptionUse use = OptionUse::now;
  bool of_one_run = false;
  std::function<Result<void>(std::string_view)> check;  ///< whether a text is a value of it
};

/// Every option that streamrun knows, sorted by key: those of `options.h`, then Flink's that it
/// accepts only.
const std::vector<OptionInfo>& all_options();

/// The options that a key, current or older, sets; the one whose current key it is goes first.
/// Several where Flink lets one old key stand in for two new ones, none for an unknown key.
std::vector<const OptionInfo*> options_called(std::string_view key);

template <typename T>
OptionInfo describe(const ConfigOption<T>& option) {
  OptionInfo info{.key = option.key,
                  .other_keys = {},
                  .type = OptionType<T>::name,
                  .choices = OptionType<T>::choices(),
                  .default_text = option.default_text,
                  .flink_default = option.flink_default,
                  .description = option.description,
                  .use = option.use,
                  .of_one_run = option.of_one_run,
                  .check = [](std::string_view text) -> Result<void> {
                    auto value = OptionType<T>::parse(text);
                    if (!value) return std::move(value).error();
                    return {};
                  }};
  for (const std::string_view other : option.other_keys) {
    if (!other.empty()) info.other_keys.emplace_back(other);
  }
  return info;
}

}  // namespace streamrun
