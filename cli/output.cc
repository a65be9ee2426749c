#include "output.h"

#include <streamrun/base/strings.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "table.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

std::string one_line(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Nothing can be done about a stderr that does not take what is said.
void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Arguments and paths may be of any length; what is said of them is not.
Error shortened_error(Error error) {
  error.message = shortened(error.message);
  error.where = shortened(error.where);
  error.why = shortened(error.why);
  for (std::string& line : error.tries) line = shortened(line);
  return error;
}

void say_once(std::string_view kind, Colour colour, const std::string& long_text,
              const GlobalFlags& flags) {
  static std::set<std::string> said;
  const std::string text = shortened(long_text);
  if (flags.quiet || !said.insert(text).second) return;
  if (flags.json) return say(one_line({{"v", 1}, {"event", kind}, {"text", text}}));
  const std::string name = fmt::format("{}:", kind);
  say(fmt::format("{} {}\n", coloured(name, colour, use_colour(STDERR_FILENO, flags)), text));
}

[[noreturn]] void write_failed(int problem) {
  throw_error(
      {.code = problem == ENOSPC ? ErrorCode::store_full : ErrorCode::store_io,
       .message = fmt::format("cannot write to standard output: {}", std::strerror(problem)),
       .retry = Retry::no});
}

}  // namespace

bool is_terminal(int descriptor) {
  return isatty(descriptor) == 1;
}

int terminal_width(int descriptor) {
  winsize size{};
  if (!is_terminal(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

bool use_colour(int descriptor, const GlobalFlags& flags) {
  if (flags.color != "auto") return flags.color == "always";
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return is_terminal(descriptor);
}

std::string coloured(std::string_view text, Colour colour, bool on) {
  constexpr std::array<std::string_view, 4> kCodes = {"1;31", "1;33", "32", "1"};
  if (!on) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes.at(static_cast<std::size_t>(colour)), text);
}

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) return;  // the reader has all it wanted
    if (written < 0) write_failed(errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string error_as_text(const Error& long_error) {
  const Error error = shortened_error(long_error);
  std::string text = "error: " + error.headline() + "\n";
  if (!error.why.empty()) text += "  why: " + error.why + "\n";
  for (const std::string& line : error.tries) text += "  try: " + line + "\n";
  return text;
}

std::string error_as_json(const Error& long_error) {
  const Error error = shortened_error(long_error);
  const ErrorCodeInfo& info = info_of(error.code);
  Json body = {{"code", info.text}, {"exit", info.exit_status}, {"what", error.message}};
  if (!error.where.empty()) body["where"] = error.where;
  if (!error.why.empty()) body["why"] = error.why;
  body["try"] = error.tries;
  return one_line({{"v", 1}, {"error", std::move(body)}});
}

void print_error(const Error& error, const GlobalFlags& flags) {
  if (flags.json) return say(error_as_json(error));
  std::string text = error_as_text(error);
  constexpr std::string_view kName = "error:";
  text.replace(0, kName.size(), coloured(kName, Colour::red, use_colour(STDERR_FILENO, flags)));
  say(text);
}

void print_warning(const std::string& text, const GlobalFlags& flags) {
  say_once("warning", Colour::yellow, text, flags);
}

void print_note(const std::string& text, const GlobalFlags& flags) {
  say_once("note", Colour::bold, text, flags);
}

std::string human_duration(std::int64_t milliseconds) {
  if (milliseconds < 1000) return fmt::format("{}ms", milliseconds < 0 ? 0 : milliseconds);
  if (milliseconds < 59'950)
    return fmt::format("{:.1f}s", static_cast<double>(milliseconds) / 1000);
  return human_age(milliseconds);
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  std::size_t column = indent;
  for (const std::string& word : split(text, ' ')) {
    const std::size_t length = width_of(word);
    if (column > indent && column + 1 + length > width) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += length;
  }
  return result;
}

}  // namespace streamrun
