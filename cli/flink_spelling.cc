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

constexpr auto kRunningJobCommands =
    std::to_array<std::string_view>({"list", "cancel", "stop", "savepoint", "checkpoint"});
/// Only with the commands that talk to a running job: a job of the user's may call an argument so.
constexpr auto kOneDashToRunningJobs = std::to_array<std::string_view>(
    {"all", "running", "scheduled", "withSavepoint", "savepointPath", "drain", "type", "detached",
     "dispose", "full", "jobmanager"});

bool talks_to_running_job(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const Command* const command = find_command(argument);
    if (command == nullptr) continue;
    return std::any_of(kRunningJobCommands.begin(), kRunningJobCommands.end(),
                       [&](std::string_view name) { return command->name == name; });
  }
  return false;
}

std::string with_two_dashes(const std::string& argument) {
  const std::string_view name = std::string_view(argument).substr(0, argument.find('='));
  const bool is_one =
      name.size() > 2 && std::any_of(kOneDashToRunningJobs.begin(), kOneDashToRunningJobs.end(),
                                     [&](std::string_view each) { return name.substr(1) == each; });
  return is_one && name.front() == '-' ? "-" + argument : argument;
}

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
  const bool to_running_job = talks_to_running_job(arguments);
  for (const std::string& argument : arguments) {
    std::string each = long_spelling_of(to_running_job ? with_two_dashes(argument) : argument);
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
