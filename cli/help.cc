#include <streamrun/base/error.h>
#include <streamrun/base/strings.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "command_table.h"
#include "help_text.h"
#include "man_page.h"
#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 80;

const ErrorCodeInfo* find_code(const std::string& text) {
  for (const ErrorCodeInfo& info : all_error_codes()) {
    if (to_lower_ascii(info.text) == to_lower_ascii(text)) return &info;
  }
  return nullptr;
}

int explain_code(const ErrorCodeInfo& info, const GlobalFlags& global) {
  if (global.json) {
    const Json document = {{"v", 1},
                           {"code", info.text},
                           {"exit", info.exit_status},
                           {"explanation", info.explanation}};
    print(document.dump() + "\n");
    return 0;
  }
  print(fmt::format("{}  (exit status {})\n{}\n", info.text, info.exit_status,
                    wrapped(info.explanation, 0, kWidth)));
  return 0;
}

int print_text(const std::string& text, const GlobalFlags& global) {
  print(global.json ? Json{{"v", 1}, {"text", text}}.dump() + "\n" : text);
  return 0;
}

[[noreturn]] void nothing_about(const std::string& topic, const JobTable& jobs) {
  const bool is_job =
      std::any_of(jobs.begin(), jobs.end(), [&](const Job& job) { return job.name == topic; });
  if (is_job) {
    usage_error(topic + " is a job, not a command", {"streamrun info " + topic + " --help"});
  }
  std::vector<std::string> topics = command_names();
  for (const ErrorCodeInfo& info : all_error_codes()) topics.emplace_back(info.text);
  usage_error(fmt::format("no help on {}{}", topic.substr(0, 64), did_you_mean(topic, topics)),
              {"streamrun help"});
}

}  // namespace

int help_command(const Invocation& invocation) {
  if (invocation.has("--man")) return print_text(man_page(), invocation.global);
  if (invocation.operands.empty()) return print_text(general_help(), invocation.global);
  const std::string& topic = invocation.operands.front();
  if (const ErrorCodeInfo* info = find_code(topic)) return explain_code(*info, invocation.global);
  const Command* command = find_command(topic);
  if (command == nullptr || command->hidden) nothing_about(topic, *invocation.jobs);
  return print_text(command_help(*command), invocation.global);
}

}  // namespace streamrun
