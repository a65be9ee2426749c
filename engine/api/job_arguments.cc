#include <streamrun/api/job_arguments.h>
#include <streamrun/base/strings.h>
#include <streamrun/config/values.h>
#include <streamrun/storage/file_system.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

namespace streamrun {
namespace {

std::string absolute_if_local(const std::string& text, const std::string& working_directory) {
  return text.find("://") != std::string::npos ? text : absolute_path(text, working_directory);
}

[[noreturn]] void usage_error(std::string message) {
  throw_error({.code = ErrorCode::usage, .message = std::move(message), .retry = Retry::no});
}

/// Most likely a variable of a shell that is not set: the current folder is not what was meant.
void refuse_empty(const std::string& name, const std::string& path) {
  if (path.empty()) usage_error("--" + name + " was given an empty path");
}

}  // namespace

JobArguments::JobArguments(Values values, std::string working_directory)
    : values_(std::move(values)), working_directory_(std::move(working_directory)) {}

JobArguments JobArguments::listing() {
  JobArguments arguments;
  arguments.listing_ = true;
  arguments.working_directory_ = "/";
  return arguments;
}

void JobArguments::declare(Declaration declaration) {
  for (const Declaration& other : declarations_) {
    SR_ASSERT(other.name != declaration.name, "a job declares each argument once");
  }
  if (declaration.required && !find(declaration.name)) missing_.push_back(declaration.name);
  declarations_.push_back(std::move(declaration));
}

std::optional<std::string> JobArguments::find(const std::string& name) const {
  std::optional<std::string> found;
  for (const auto& [given, value] : values_) {
    if (given == name) found = value;
  }
  return found;
}

std::string JobArguments::text(const std::string& name, const std::string& help) {
  declare({.name = name, .type = "text", .help = help, .default_text = {}, .required = true});
  return find(name).value_or("");
}

std::string JobArguments::text(const std::string& name, const std::string& help,
                               const std::string& fallback) {
  declare({.name = name, .type = "text", .help = help, .default_text = fallback});
  return find(name).value_or(fallback);
}

std::optional<std::string> JobArguments::optional_text(const std::string& name,
                                                       const std::string& help) {
  declare({.name = name, .type = "text", .help = help, .default_text = {}});
  return find(name);
}

std::vector<std::string> JobArguments::texts(const std::string& name, const std::string& help) {
  declare({.name = name, .type = "text", .help = help, .default_text = {}, .repeatable = true});
  std::vector<std::string> found;
  for (const auto& [given, value] : values_) {
    if (given == name) found.push_back(value);
  }
  return found;
}

std::vector<std::string> JobArguments::paths(const std::string& name, const std::string& help) {
  declare({.name = name,
           .type = "path",
           .help = help,
           .default_text = {},
           .repeatable = true,
           .required = true});
  std::vector<std::string> found;
  for (auto& [given, value] : values_) {
    if (given != name) continue;
    refuse_empty(name, value);
    value = absolute_if_local(value, working_directory_);
    found.push_back(value);
  }
  // What is made of them wants one.
  if (listing_) found.push_back(absolute_if_local(name, working_directory_));
  return found;
}

std::optional<std::string> JobArguments::optional_path(const std::string& name,
                                                       const std::string& help) {
  declare({.name = name, .type = "path", .help = help, .default_text = {}});
  for (auto& [given, value] : values_) {
    if (given != name) continue;
    refuse_empty(name, value);
    value = absolute_if_local(value, working_directory_);
  }
  return find(name);
}

std::int64_t JobArguments::integer(const std::string& name, const std::string& help,
                                   std::int64_t fallback) {
  declare(
      {.name = name, .type = "integer", .help = help, .default_text = std::to_string(fallback)});
  const std::optional<std::string> text = find(name);
  if (!text) return fallback;
  std::int64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    usage_error(fmt::format("--{} takes a whole number, not \"{}\"", name, text->substr(0, 64)));
  }
  return value;
}

std::chrono::nanoseconds JobArguments::duration(const std::string& name, const std::string& help,
                                                const std::string& fallback) {
  declare({.name = name, .type = "duration", .help = help, .default_text = fallback});
  const std::string text = find(name).value_or(fallback);
  const Result<std::chrono::nanoseconds> value = parse_duration(text);
  if (!value) {
    usage_error(fmt::format("--{} takes a duration such as 500ms or \"5 min\", not \"{}\"", name,
                            text.substr(0, 64)));
  }
  return *value;
}

bool JobArguments::flag(const std::string& name, const std::string& help) {
  declare({.name = name, .type = "flag", .help = help, .default_text = "false"});
  const std::optional<std::string> text = find(name);
  if (!text || *text == "false") return false;
  if (*text != "true") usage_error(fmt::format("--{} is a flag and takes no value", name));
  return true;
}

void JobArguments::check() const {
  if (listing_) return;
  std::vector<std::string> names;
  std::map<std::string, const Declaration*> by_name;
  for (const Declaration& each : declarations_) {
    names.push_back(each.name);
    by_name[each.name] = &each;
  }
  std::set<std::string> seen;
  for (const auto& [name, value] : values_) {
    if (!by_name.contains(name)) {
      const std::string near = nearest_of(name, names);
      usage_error(fmt::format(
          "the job has no argument --{}{}", name,
          near.empty() ? "; it has: --" + join(names, ", --") : "; did you mean --" + near + "?"));
    }
    if (!seen.insert(name).second && !by_name[name]->repeatable) {
      usage_error(fmt::format("--{} is given twice", name));
    }
  }
  if (!missing_.empty()) {
    const Declaration& first = *by_name[missing_.front()];
    usage_error(fmt::format("the job needs --{}: {}", first.name, first.help));
  }
}

}  // namespace streamrun
