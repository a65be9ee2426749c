#include <streamrun/base/error.h>
#include <streamrun/base/strings.h>
#include <streamrun/config/configuration.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/option_table.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "command_table.h"
#include "explain.h"
#include "load.h"
#include "output.h"
#include "table.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::default_value:
      return "default";
    case Origin::checkpoint:
      return "checkpoint";
    case Origin::file:
      return "file";
    case Origin::job:
      return "job";
    case Origin::environment:
      return "environment";
    case Origin::definition:
      return "definition";
    case Origin::flag:
      return "flag";
  }
  return "default";
}

bool is_changed(const EffectiveEntry& entry) {
  return entry.origin != Origin::default_value || !entry.flink_default.empty();
}

bool has_name_under(const OptionInfo& option, const std::string& prefix) {
  return option.key.starts_with(prefix) ||
         std::any_of(option.other_keys.begin(), option.other_keys.end(),
                     [&](const std::string& other) { return other.starts_with(prefix); });
}

std::string prefix_of(const std::string& wanted) {
  return wanted.ends_with('.') ? wanted : wanted + ".";
}

bool is_name_wanted(std::string_view name, const std::string& wanted) {
  return name == wanted || name.starts_with(prefix_of(wanted));
}

/// A key by any of its names, and all keys with a name that begins so.
bool is_wanted(const EffectiveEntry& entry, const std::string& wanted) {
  if (wanted.empty() || is_name_wanted(entry.key, wanted) ||
      is_name_wanted(entry.written_as, wanted)) {
    return true;
  }
  const auto named = options_called(entry.key);
  if (named.empty()) return false;
  const std::vector<std::string>& others = named.front()->other_keys;
  return std::any_of(others.begin(), others.end(),
                     [&](const std::string& other) { return is_name_wanted(other, wanted); });
}

/// The name under the prefix that was asked for, where the one shown is not under it: the current
/// one or an older one.
std::string asked_name(const EffectiveEntry& entry, const std::string& wanted) {
  if (wanted.empty() || is_name_wanted(entry.written_as, wanted)) return "";
  const std::string prefix = prefix_of(wanted);
  for (const OptionInfo* option : options_called(entry.key)) {
    if (option->key != entry.key) continue;
    if (option->key.starts_with(prefix)) return std::string(option->key);
    for (const std::string& other : option->other_keys) {
      if (other.starts_with(prefix)) return other;
    }
  }
  return "";
}

/// Options under a prefix that have neither a value nor a default: a person who asks for a prefix
/// wants to know that they are there.
std::vector<EffectiveEntry> unset_under(const std::string& prefix,
                                        const std::vector<EffectiveEntry>& set) {
  std::vector<EffectiveEntry> unset;
  for (const OptionInfo& option : all_options()) {
    const bool is_set = std::any_of(set.begin(), set.end(), [&](const EffectiveEntry& entry) {
      return entry.key == option.key;
    });
    if (is_set || option.use != OptionUse::now || !has_name_under(option, prefix)) continue;
    const std::string key(option.key);
    unset.push_back(
        {.key = key, .written_as = key, .value = "-", .from = "not set", .flink_default = {}});
  }
  return unset;
}

std::string as_table(std::vector<EffectiveEntry> entries, const std::string& wanted) {
  std::sort(entries.begin(), entries.end(), [](const EffectiveEntry& a, const EffectiveEntry& b) {
    return a.written_as < b.written_as;
  });
  const bool has_other_names =
      std::any_of(entries.begin(), entries.end(),
                  [&](const EffectiveEntry& entry) { return !asked_name(entry, wanted).empty(); });
  Table table(has_other_names ? std::vector<std::string>{"KEY", "ALSO", "VALUE", "FROM"}
                              : std::vector<std::string>{"KEY", "VALUE", "FROM"});
  for (const EffectiveEntry& entry : entries) {
    // The name that somebody wrote, so that it is found again where it was written.
    std::vector<std::string> row = {entry.written_as, entry.value, entry.from};
    const std::string also = asked_name(entry, wanted);
    if (has_other_names) row.insert(row.begin() + 1, also.empty() ? "-" : also);
    table.add(std::move(row));
  }
  return table.text();
}

std::string as_json(const std::vector<EffectiveEntry>& entries, const std::string& wanted) {
  Json rows = Json::array();
  for (const EffectiveEntry& entry : entries) {
    Json row = {{"key", entry.key},
                {"written_as", entry.written_as},
                {"value", entry.value},
                {"origin", name_of(entry.origin)},
                {"from", entry.from}};
    if (!entry.flink_default.empty()) row["flink_default"] = entry.flink_default;
    if (const std::string also = asked_name(entry, wanted); !also.empty()) row["also"] = also;
    rows.push_back(std::move(row));
  }
  return Json{{"v", 1}, {"configuration", std::move(rows)}}.dump(-1, ' ', false,
                                                                 Json::error_handler_t::replace) +
         "\n";
}

bool is_known(const std::string& wanted) {
  if (standing_of(wanted) != KeyStanding::unknown) return true;
  const auto& options = all_options();
  return std::any_of(options.begin(), options.end(), [&](const OptionInfo& option) {
    return has_name_under(option, prefix_of(wanted));
  });
}

int show(const Invocation& invocation, const std::string& wanted) {
  const LoadedConfiguration loaded = load_for_command(invocation.global, {}, {}, "");
  std::vector<EffectiveEntry> entries = loaded.configuration.entries();
  std::erase_if(entries, [&](const EffectiveEntry& entry) {
    return !is_wanted(entry, wanted) || (invocation.has("--changed") && !is_changed(entry));
  });
  if (!wanted.empty() && !invocation.has("--changed") && !invocation.global.json) {
    const auto unset = unset_under(prefix_of(wanted), loaded.configuration.entries());
    entries.insert(entries.end(), unset.begin(), unset.end());
  }
  if (entries.empty() && !wanted.empty() && !is_known(wanted)) {
    const std::string nearest = nearest_key(wanted);
    usage_error(fmt::format("{} is neither a key nor the start of one{}", wanted,
                            nearest.empty() ? "" : "; did you mean " + nearest + "?"),
                {"streamrun config"});
  }
  if (entries.empty() && !invocation.global.json) {
    print_note(wanted.empty() ? "nothing is set" : wanted + " is not set", invocation.global);
  }
  if (invocation.global.json) {
    print(as_json(entries, wanted));
  } else if (!entries.empty()) {
    print(as_table(entries, wanted));
  }
  return 0;
}

}  // namespace

int config_command(const Invocation& invocation) {
  const std::vector<std::string>& operands = invocation.operands;
  const bool explains = !operands.empty() && operands.front() == "explain";
  if (explains && operands.size() < 2) {
    usage_error("config explain needs a key", {"streamrun config explain parallelism.default"});
  }
  if (explains) return explain_key(operands[1], invocation.global);
  if (operands.size() > 1) {
    usage_error(fmt::format("config does not take \"{}\"", operands[1]), {"streamrun help config"});
  }
  return show(invocation, operands.empty() ? "" : operands.front());
}

}  // namespace streamrun
