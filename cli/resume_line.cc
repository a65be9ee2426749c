#include "resume_line.h"

#include <streamrun/base/strings.h>
#include <streamrun/config/key_names.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "usage_error.h"

namespace streamrun {
namespace {

void add_job(const RunFlags& flags, const RunLine& line, std::vector<std::string>& words) {
  const std::string job = line.job.empty() ? flags.job.value_or("") : line.job;
  if (job.empty()) return;
  words.push_back(job);
  for (const auto& [name, value] : line.arguments.value_or(flags.job_arguments)) {
    words.push_back("--" + name);
    // A flag is recorded as one that is true.
    if (value != "true") words.push_back(value);
  }
}

/// `key=value` without a secret, which would stay in a terminal's or a log's memory.
std::string as_shown(const std::string& definition) {
  const std::size_t equals = definition.find('=');
  if (equals == std::string::npos) return definition;
  const std::string key(trim(definition.substr(0, equals)));
  return definition.substr(0, equals + 1) + displayed_value(key, definition.substr(equals + 1));
}

}  // namespace

std::string run_line(const GlobalFlags& global, const RunFlags& flags, const RunLine& line) {
  std::vector<std::string> words = {"streamrun", "run"};
  const auto add = [&](const std::string& flag, const std::string& value) {
    if (value.empty()) return;
    words.push_back(flag);
    words.push_back(value);
  };
  add("--conf", global.conf);
  for (const std::string& definition : global.definitions) add("-D", as_shown(definition));
  add("-s", line.from);
  if (flags.parallelism) add("-p", std::to_string(*flags.parallelism));
  if (flags.allow_non_restored) words.emplace_back("-n");
  for (const std::string& uid : flags.drop_state) add("--drop-state", uid);
  if (flags.detached) words.emplace_back("-d");
  words.insert(words.end(), line.extra.begin(), line.extra.end());
  add_job(flags, line, words);
  return shell_line(words);
}

std::vector<std::string> completed_tries(const GlobalFlags& global, const RunFlags& flags,
                                         std::vector<std::string> tries) {
  constexpr std::string_view kStart = "streamrun run -s ";
  constexpr std::string_view kDrop = " --drop-state ";
  for (std::string& text : tries) {
    if (!text.starts_with(kStart)) continue;
    const std::size_t comment = std::min(text.find("  #"), text.size());
    // A path and a uid may hold blanks.
    std::string given = text.substr(kStart.size(), comment - kStart.size());
    if (given.starts_with("latest ")) continue;  // of `run_line`, and whole
    RunLine line;
    for (std::size_t at = given.rfind(kDrop); at != std::string::npos; at = given.rfind(kDrop)) {
      line.extra.insert(line.extra.begin(), {std::string(kDrop.substr(1, kDrop.size() - 2)),
                                             given.substr(at + kDrop.size())});
      given.resize(at);
    }
    line.from = std::move(given);
    text = run_line(global, flags, line) + text.substr(comment);
  }
  return tries;
}

}  // namespace streamrun
