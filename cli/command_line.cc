#include "command_line.h"

#include <streamrun/base/error.h>
#include <streamrun/base/strings.h>
#include <streamrun/config/key_names.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <memory>
#include <utility>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "command_table.h"
#include "flink_spelling.h"
#include "usage_error.h"

namespace streamrun {
namespace {

std::string parser_name(const Flag& flag) {
  std::string names;
  if (flag.short_name != '\0') names = std::string{'-', flag.short_name};
  if (!flag.long_name.empty()) names += (names.empty() ? "--" : ",--") + flag.long_name;
  return names;
}

/// The options of one level of the command tree, in the parser and in our table.
struct Level {
  CLI::App* app = nullptr;
  std::vector<std::pair<const Flag*, CLI::Option*>> options;

  void add(const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) {
      CLI::Option* option = flag.is_switch()
                                ? app->add_flag(parser_name(flag))->disable_flag_override()
                                : app->add_option(parser_name(flag))->expected(1);
      option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      options.emplace_back(&flag, option);
    }
  }
  std::vector<std::string> long_names() const {
    std::vector<std::string> names;
    for (const auto& [flag, option] : options) {
      if (!flag->long_name.empty() && !flag->hidden) names.push_back(flag->long_name);
    }
    return names;
  }
};

/// A choice as the table spells it.
std::string canonical_choice(const Flag& flag, const std::string& value) {
  for (const std::string& choice : flag.choices) {
    if (equals_ignoring_case(choice, value)) return choice;
  }
  usage_error(fmt::format("{} takes {}, not \"{}\"", flag.spelling(), join(flag.choices, ", "),
                          value.substr(0, 64)));
}

class Parser {
 public:
  Parser() {
    root_.app = &app_;
    app_.set_help_flag();
    app_.prefix_command();
    app_.require_subcommand(0, 1);
    root_.add(global_flags());
    for (const Command& command : all_commands()) add_command(command);
  }

  Invocation parse(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment) {
    invocation_.line = with_gnu_spelling(arguments);
    parse_tokens({invocation_.line.rbegin(), invocation_.line.rend()});
    take_level(root_);
    check_root();
    if (const Level* level = chosen_level()) take_command(*level);
    take_environment(environment);
    take_global_flags();
    return std::move(invocation_);
  }

 private:
  void add_command(const Command& command) {
    CLI::App* app = app_.add_subcommand(command.name);
    app->set_help_flag();
    app->prefix_command(command.before_job);  // else it would be that of the program
    app->allow_extras(!command.before_job);
    auto level = std::make_unique<Level>();
    level->app = app;
    level->add(command.flags);
    level->add(global_flags());
    levels_.emplace_back(&command, std::move(level));
  }

  /// The parser's errors have statuses and words of their own, which never get out.
  void parse_tokens(std::vector<std::string> reversed) {
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::ArgumentMismatch& mismatch) {
      const std::string text = mismatch.what();
      const std::string name = text.substr(0, text.find_first_of(": "));
      const bool is_switch = text.find("flag override") != std::string::npos;
      if (!is_switch) usage_error(name + " needs a value");
      usage_error(fmt::format("{}{} takes no value", name.size() == 1 ? "-" : "--", name));
    } catch (const CLI::ParseError& error) {
      usage_error(error.what());
    }
  }

  const Level* chosen_level() {
    for (const auto& [command, level] : levels_) {
      if (!level->app->parsed()) continue;
      invocation_.command = command;
      return level.get();
    }
    return nullptr;
  }

  void check_root() const {
    const std::vector<std::string> rest = app_.remaining();
    if (rest.empty()) return;
    const std::string& word = rest.front();
    if (word.starts_with('-') && word.size() > 1) unknown_flag(word, root_, "streamrun");
    usage_error(fmt::format("unknown command {}{}", word, did_you_mean(word, command_names())),
                {"streamrun help"});
  }

  void take_command(const Level& level) {
    take_level(level);
    const Command& command = *invocation_.command;
    std::vector<std::string> rest = level.app->remaining();
    for (const std::string& word : rest) {
      if (word.starts_with('-') && word.size() > 1) unknown_flag(word, level, command.name);
      if (command.before_job) break;  // what follows is the job's
    }
    if (!command.before_job && rest.size() > command.most_operands) {
      usage_error(fmt::format("{} does not take \"{}\"", command.name, rest[command.most_operands]),
                  {"streamrun help " + command.name});
    }
    invocation_.operands = std::move(rest);
  }

  [[noreturn]] static void unknown_flag(const std::string& word, const Level& level,
                                        const std::string& command) {
    const std::string name = word.substr(0, word.find('='));
    const std::size_t dashes = name.starts_with("--") ? 2 : 1;
    const bool may_be_long = name.size() > dashes + 1;
    const std::string hint =
        may_be_long ? did_you_mean(name.substr(dashes), level.long_names(), "--") : "";
    const std::string help =
        command == "streamrun" ? "streamrun help" : "streamrun help " + command;
    usage_error(fmt::format("{} has no flag {}{}", command, name, hint), {help});
  }

  void take_level(const Level& level) {
    for (const auto& [flag, option] : level.options) {
      if (option->count() == 0) continue;
      if (flag->is_switch()) {
        take_switch(*flag, option->count());
      } else {
        take_value(*flag, option->results(), level);
      }
    }
  }

  void take_switch(const Flag& flag, std::size_t count) {
    auto& taken = invocation_.values[flag.spelling()];
    taken.insert(taken.end(), count, "true");
  }

  void take_value(const Flag& flag, const std::vector<std::string>& given, const Level& level) {
    auto& taken = invocation_.values[flag.spelling()];
    if (!flag.repeatable) taken.clear();  // after the command is stronger than before it
    for (const std::string& value : given) {
      check_not_a_flag(flag, value, level);
      taken.push_back(flag.choices.empty() ? value : canonical_choice(flag, value));
    }
    if (!flag.repeatable && given.size() > 1) {
      usage_error(fmt::format("{} is given twice", flag.spelling()));
    }
  }

  /// `-s --or-fresh` has forgotten the value of `-s`.
  static void check_not_a_flag(const Flag& flag, const std::string& value, const Level& level) {
    for (const auto& [other, option] : level.options) {
      if (!other->long_name.empty() && value == other->spelling()) {
        usage_error(fmt::format("{} needs a value before {}", flag.spelling(), value));
      }
    }
  }

  void take_environment(const std::map<std::string, std::string>& environment) {
    take_environment_of(global_flags(), environment);
    if (invocation_.command != nullptr) {
      take_environment_of(invocation_.command->flags, environment);
    }
  }

  void take_environment_of(const std::vector<Flag>& flags,
                           const std::map<std::string, std::string>& environment) {
    for (const Flag& flag : flags) {
      // Others may well have a STREAMRUN_VERSION of their own.
      if (flag.long_name == "help" || flag.long_name == "version") continue;
      if (flag.long_name.empty() || invocation_.has(flag.spelling())) continue;
      const std::string name = environment_name(flag.long_name);
      const auto variable = environment.find(name);
      if (variable == environment.end()) continue;
      if (variable->second.empty() && !flag.empty_counts) continue;
      take_variable(flag, name, variable->second);
    }
  }

  void take_variable(const Flag& flag, const std::string& name, const std::string& value) {
    if (!flag.is_switch()) {
      invocation_.values[flag.spelling()] = {flag.choices.empty() ? value
                                                                  : canonical_choice(flag, value)};
      return;
    }
    const bool on = value == "1" || equals_ignoring_case(value, "true");
    const bool off = value == "0" || equals_ignoring_case(value, "false");
    if (!on && !off) {
      usage_error(fmt::format("{} in the environment is true or false, not \"{}\"", name,
                              value.substr(0, 64)));
    }
    if (on) invocation_.values[flag.spelling()] = {"true"};
  }

  void take_global_flags() {
    GlobalFlags& global = invocation_.global;
    global.conf = invocation_.value("--conf").value_or("");
    for (std::string& definition : invocation_.all("-D")) {
      const bool has_value = definition.find('=') != std::string::npos;
      global.definitions.push_back(has_value ? std::move(definition) : definition + "=true");
    }
    global.json = invocation_.has("--json");
    global.quiet = invocation_.has("--quiet");
    global.yes = invocation_.has("--yes");
    global.verbose = static_cast<int>(invocation_.all("--verbose").size());
    global.color = invocation_.value("--color").value_or("auto");
    global.log_level = invocation_.value("--log-level").value_or("");
    global.log_format = invocation_.value("--log-format").value_or("text");
    global.log_file = invocation_.value("--log-file").value_or("");
    invocation_.help = invocation_.has("--help");
    invocation_.version = invocation_.has("--version");
  }

  CLI::App app_;
  Level root_;
  std::vector<std::pair<const Command*, std::unique_ptr<Level>>> levels_;
  Invocation invocation_;
};

/// As long as a text in a checkpoint may be, which records the job's arguments and configuration.
constexpr std::size_t kLongestArgument = std::size_t{64} << 10U;

void check_length(const std::string& argument) {
  if (argument.size() <= kLongestArgument) return;
  usage_error(fmt::format("an argument has {} bytes, and at most {} are taken: {}", argument.size(),
                          kLongestArgument, argument),
              {"put what is long into a file, and give its path"});
}

}  // namespace

Invocation parse_command_line(const std::vector<std::string>& arguments,
                              const std::map<std::string, std::string>& environment) {
  for (const std::string& argument : arguments) check_length(argument);
  return Parser().parse(arguments, environment);
}

}  // namespace streamrun
