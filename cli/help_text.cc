#include "help_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "command_table.h"
#include "output.h"

namespace streamrun {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kFlagColumn = 28;

/// A heading and its text beside it, or below where the heading is long.
std::string entry(const std::string& heading, const std::string& text, std::size_t column) {
  std::string line = "  " + heading;
  if (line.size() + 2 > column) {
    line += '\n' + std::string(column, ' ');
  } else {
    line.append(column - line.size(), ' ');
  }
  return line + wrapped(text, column, kWidth) + "\n";
}

std::string flags_text(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    if (!flag.hidden) text += entry(flag_heading(flag), flag.help, kFlagColumn);
  }
  return text;
}

std::string examples_text(const std::vector<Example>& examples) {
  std::string text = "examples:\n";
  for (const Example& example : examples) {
    text += fmt::format("  {}\n      # {}\n", example.line, example.about);
  }
  return text;
}

std::string usage_text(const Command& command) {
  std::string text;
  for (const std::string& usage : command.usage) {
    text += text.empty() ? "usage: " : "       ";
    text += "streamrun " + command.name + (usage.empty() ? "" : " " + usage) + "\n";
  }
  return text;
}

std::string first_sentence(const std::string& text) {
  return text.substr(0, text.find_first_of(".:;"));
}

}  // namespace

std::string flag_heading(const Flag& flag) {
  std::string heading = flag.short_name == '\0' ? "    " : std::string{'-', flag.short_name};
  if (!flag.long_name.empty())
    heading += (flag.short_name == '\0' ? "--" : ", --") + flag.long_name;
  return flag.is_switch() ? heading : heading + " " + flag.value;
}

std::string command_help(const Command& command) {
  std::string text = usage_text(command) + "\n" + wrapped(command.about, 0, kWidth) + "\n\n";
  if (!command.examples.empty()) text += examples_text(command.examples) + "\n";
  const std::string flags = flags_text(command.flags);
  if (!flags.empty()) text += "flags:\n" + flags + "\n";
  return text + "global flags:\n" + flags_text(global_flags());
}

std::string general_help() {
  std::string text =
      "usage: streamrun [flags] COMMAND [arguments]\n\n"
      "Runs stream jobs in one process, with checkpoints, as Flink would run them.\n\n";
  text += examples_text({{"streamrun run wordcount --input texts", "count the words of text files"},
                         {"streamrun help run", "all about one command"}});
  text += "\ncommands:\n";
  std::size_t column = 0;
  for (const std::string& name : command_names()) column = std::max(column, name.size() + 4);
  for (const Command& command : all_commands()) {
    if (!command.hidden) text += entry(command.name, first_sentence(command.about), column);
  }
  text += "\nglobal flags:\n" + flags_text(global_flags());
  return text + "\nEach --some-flag can also come from the environment, as STREAMRUN_SOME_FLAG.\n";
}

}  // namespace streamrun
