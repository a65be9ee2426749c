#include "streamrun_main.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/error.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <unistd.h>

#include "command_line.h"
#include "command_table.h"
#include "help_text.h"
#include "load.h"
#include "output.h"
#include "usage_error.h"
#include "version.h"

namespace streamrun {
namespace {

constexpr int kBugStatus = 70;

/// The end after a broken invariant: nothing may be trusted any more, so no memory is asked for and
/// no destructor runs.
[[noreturn]] void end_with_bug(const char* condition, const char* text, const char* file,
                               int line) {
  std::array<char, 1024> message{};
  const int length = std::snprintf(
      message.data(), message.size(),
      "error: E-BUG: %s (%s:%d: %s)\n  why: a bug in streamrun %.*s; please report it\n", text,
      file, line, condition, static_cast<int>(kVersion.size()), kVersion.data());
  const auto count = std::min(static_cast<std::size_t>(std::max(length, 0)), message.size() - 1);
  if (::write(STDERR_FILENO, message.data(), count) < 0) _exit(kBugStatus);
  _exit(kBugStatus);
}

int finish(const Error& error, const GlobalFlags& flags) {
  print_error(error, flags);
  return info_of(error.code).exit_status;
}

int finish(const std::vector<Error>& errors, const GlobalFlags& flags) {
  for (const Error& error : errors) print_error(error, flags);
  return info_of(errors.front().code).exit_status;
}

int finish_with_bug(const char* what, const GlobalFlags& flags) {
  return finish({.code = ErrorCode::bug,
                 .message = what,
                 .why = fmt::format("an exception that nobody expected; a bug in streamrun {}: "
                                    "please report it",
                                    kVersion),
                 .retry = Retry::no},
                flags);
}

int print_version(const GlobalFlags& flags) {
  print(flags.json ? fmt::format("{{\"v\":1,\"version\":\"{}\"}}\n", kVersion)
                   : fmt::format("streamrun {}\n", kVersion));
  return 0;
}

/// `streamrun -h`, `streamrun COMMAND -h`: as if help was the command.
int print_help(Invocation invocation) {
  invocation.operands.clear();
  invocation.values.erase("--man");
  if (invocation.command != nullptr) invocation.operands = {invocation.command->name};
  return help_command(invocation);
}

int dispatch(const Invocation& invocation) {
  if (invocation.version) return print_version(invocation.global);
  if (invocation.help) return print_help(invocation);
  if (invocation.command == nullptr) usage_error("a command is missing", {"streamrun help"});
  return invocation.command->run(invocation);
}

Invocation parse(const std::vector<std::string>& arguments, const JobTable& jobs) {
  // What a shell asks about is not a command line of its own yet.
  if (!arguments.empty() && arguments.front() == "__complete") {
    Invocation invocation;
    invocation.command = find_command("__complete");
    invocation.operands.assign(arguments.begin() + 1, arguments.end());
    invocation.jobs = &jobs;
    return invocation;
  }
  Invocation invocation = parse_command_line(arguments, environment_variables());
  invocation.jobs = &jobs;
  return invocation;
}

}  // namespace

int streamrun_main(int argc, char** argv, const JobTable& jobs) {
  set_assertion_handler(&end_with_bug);
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  GlobalFlags flags;
  // For a command line that is not understood; what it says about colour is not known then.
  flags.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  try {
    const Invocation invocation = parse(arguments, jobs);
    flags = invocation.global;
    return dispatch(invocation);
  } catch (const ConfigurationErrors& errors) {
    return finish(errors.errors(), flags);
  } catch (const ErrorException& exception) {
    return finish(exception.error(), flags);
  } catch (const std::exception& exception) {
    return finish_with_bug(exception.what(), flags);
  }
}

}  // namespace streamrun
