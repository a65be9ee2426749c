#include "man_page.h"

#include <streamrun/base/error.h>
#include <streamrun/base/strings.h>

#include <map>
#include <vector>

#include <fmt/format.h>

#include "command_table.h"
#include "version.h"

namespace streamrun {
namespace {

/// Text as roff reads it back: dashes that can be copied, no line that is a request.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool at_start = escaped.empty() || escaped.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string section(std::string_view name) {
  return fmt::format(".SH {}\n", name);
}

std::string tagged(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, roff(text));
}

std::string tag_of(const Flag& flag) {
  std::string tag = ".B ";
  if (flag.short_name != '\0') tag += roff(std::string{'-', flag.short_name});
  if (!flag.long_name.empty())
    tag += (flag.short_name != '\0' ? ", " : "") + roff("--" + flag.long_name);
  return flag.is_switch() ? tag : tag + " " + roff(flag.value);
}

std::string flags_of(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    if (!flag.hidden) text += tagged(tag_of(flag), flag.help);
  }
  return text;
}

std::string section_of_commands() {
  std::string text = section("COMMANDS");
  for (const Command& command : all_commands()) {
    if (command.hidden) continue;
    text += fmt::format(".SS {}\n", roff(command.name));
    for (const std::string& usage : command.usage) {
      text += fmt::format(".B streamrun {}\n{}\n.br\n", roff(command.name), roff(usage));
    }
    text += fmt::format(".PP\n{}\n", roff(command.about)) + flags_of(command.flags);
  }
  return text;
}

std::string exit_status() {
  std::map<int, std::vector<std::string>> codes;
  for (const ErrorCodeInfo& info : all_error_codes()) {
    codes[info.exit_status].emplace_back(info.text);
  }
  std::string text = section("EXIT STATUS") + tagged("0", "done, or stopped as asked");
  for (const auto& [status, names] : codes)
    text += tagged(std::to_string(status), join(names, ", "));
  text += tagged("130", "ended by INT; the last line says whether cleanly");
  return text + ".PP\n" + roff("streamrun help CODE explains each code.") + "\n";
}

std::string environment() {
  return section("ENVIRONMENT") +
         tagged("STREAMRUN_SOME_FLAG", "stands for the flag --some-flag of a command") +
         tagged("STREAMRUN_SOME_KEY", "sets the configuration key some.key or some-key") +
         tagged("STREAMRUN_CONF_DIR, FLINK_CONF_DIR", "folder of the configuration file") +
         tagged("NO_COLOR", "no colours, if set to anything");
}

std::string files() {
  return section("FILES") +
         tagged("flink\\-conf.yaml, config.yaml",
                "the configuration: in --conf, STREAMRUN_CONF_DIR, FLINK_CONF_DIR, ./conf, "
                "$XDG_CONFIG_HOME/streamrun or /etc/streamrun, the first that has one") +
         tagged("chk\\-N/_metadata", "what makes a folder a complete checkpoint") +
         tagged("streamrun.log",
                "log of a job in the background, in its folder of checkpoints; without checkpoints "
                "it is JOB\\-ID.log in $XDG_STATE_HOME/streamrun or ~/.local/state/streamrun") +
         tagged("running/JOB\\-ID\\-PID.json",
                "in the same folder: where commands such as stop find a running job");
}

std::string signals() {
  return section("SIGNALS") +
         tagged("INT, TERM", "stop the job with a final checkpoint; a second one leaves at once") +
         tagged("PIPE", "a print sink whose reader left stops the job with a checkpoint");
}

std::string examples() {
  std::string text = section("EXAMPLES");
  for (const Command& command : all_commands()) {
    for (const Example& example : command.examples) {
      text += fmt::format(".TP\n.B {}\n{}\n", roff(example.line), roff(example.about));
    }
  }
  return text;
}

}  // namespace

std::string man_page() {
  return fmt::format(".TH STREAMRUN 1 \"\" \"streamrun {}\" \"User Commands\"\n", roff(kVersion)) +
         section("NAME") + "streamrun \\- runs stream jobs with checkpoints\n" +
         section("SYNOPSIS") + ".B streamrun\n[flags] COMMAND [arguments]\n" +
         section_of_commands() + section("OPTIONS") + "Every command understands these.\n" +
         flags_of(global_flags()) + exit_status() + environment() + files() + signals() +
         examples();
}

}  // namespace streamrun
