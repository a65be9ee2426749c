#include "flink_spelling.h"

#include <algorithm>
#include <array>
#include <utility>

#include "command_table.h"

namespace streamrun {
namespace {

constexpr auto kOneDash = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"-claimMode", "--claimMode"},
    {"-cm", "--claimMode"},
    {"-fromSavepoint", "--fromSavepoint"},
    {"-allowNonRestoredState", "--allowNonRestoredState"},
    {"-sae", "--shutdownOnAttachedExit"},
    {"-shutdownOnAttachedExit", "--shutdownOnAttachedExit"},
});

bool is_own_flag(const std::string& spelling) {
  const std::vector<std::string> names = all_long_names();
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return "--" + name == spelling; });
}

}  // namespace

std::string long_spelling_of(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  for (const auto& [one_dash, two_dashes] : kOneDash) {
    if (std::string_view(argument).substr(0, equals) != one_dash) continue;
    const std::string rest = equals == std::string::npos ? "" : argument.substr(equals);
    return std::string(two_dashes) + rest;
  }
  return argument;
}

std::vector<std::string> with_gnu_spelling(const std::vector<std::string>& arguments) {
  std::vector<std::string> spelled;
  for (const std::string& argument : arguments) {
    std::string each = long_spelling_of(argument);
    const bool empty_value = each.starts_with("--") && each.ends_with('=') &&
                             is_own_flag(each.substr(0, each.size() - 1));
    if (empty_value) {
      each.pop_back();
      spelled.push_back(std::move(each));
      spelled.emplace_back();
    } else {
      spelled.push_back(std::move(each));
    }
  }
  return spelled;
}

}  // namespace streamrun
