#include "explain.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/option_table.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIndent = 15;

std::string use_of(const OptionInfo& option) {
  return option.use == OptionUse::later ? "accepted, but changes nothing yet" : "";
}

std::string line(std::string_view name, const std::string& value) {
  if (value.empty()) return "";
  return fmt::format("{:<{}}{}\n", name, kIndent, wrapped(value, kIndent, kWidth));
}

std::vector<std::string> choices_of(const OptionInfo& option) {
  return {option.choices.begin(), option.choices.end()};
}

std::string as_text(const OptionInfo& option) {
  const std::string none = option.default_text.empty() ? "none" : std::string(option.default_text);
  return line("key", std::string(option.key)) + line("also", join(option.other_keys, ", ")) +
         line("meaning", std::string(option.description)) + line("type", std::string(option.type)) +
         line("values", join(choices_of(option), ", ")) + line("default", none) +
         line("Flink", std::string(option.flink_default)) + line("use", use_of(option)) +
         line("environment", environment_name(option.key));
}

Json json_of(const OptionInfo& option) {
  Json json = {{"key", option.key},
               {"other_keys", option.other_keys},
               {"description", option.description},
               {"type", option.type}};
  if (!option.choices.empty()) json["values"] = choices_of(option);
  if (!option.default_text.empty()) json["default"] = option.default_text;
  if (!option.flink_default.empty()) json["flink_default"] = option.flink_default;
  json["used"] = option.use == OptionUse::now;
  json["environment"] = environment_name(option.key);
  return json;
}

/// What can be said of a key that is no option of ours.
std::string about_family(const std::string& key) {
  switch (standing_of(key)) {
    case KeyStanding::member:
      return "one of a map of parameters that the job reads; any value";
    case KeyStanding::file_systems:
      return "handed on to the file systems as it is";
    case KeyStanding::later:
      return "a key of Flink's that streamrun does not use yet: accepted, changes nothing";
    case KeyStanding::meaningless:
      return "a key of Flink's that means nothing to a single process: accepted, changes nothing";
    case KeyStanding::known:
    case KeyStanding::unknown:
      break;
  }
  const std::string nearest = nearest_key(key);
  usage_error(fmt::format("unknown key {}{}", key.substr(0, 64),
                          nearest.empty() ? "" : "; did you mean " + nearest + "?"),
              {"streamrun config"});
}

}  // namespace

int explain_key(const std::string& key, const GlobalFlags& global) {
  const auto options = options_called(key);
  if (global.json) {
    Json rows = Json::array();
    for (const OptionInfo* option : options) rows.push_back(json_of(*option));
    if (options.empty()) rows.push_back({{"key", key}, {"description", about_family(key)}});
    print(Json{{"v", 1}, {"options", std::move(rows)}}.dump() + "\n");
    return 0;
  }
  if (options.empty()) {
    print(line("key", key) + line("meaning", about_family(key)));
    return 0;
  }
  std::string text;
  for (const OptionInfo* option : options) text += (text.empty() ? "" : "\n") + as_text(*option);
  print(text);
  return 0;
}

}  // namespace streamrun
