#include <streamrun/base/strings.h>
#include <streamrun/storage/file_systems.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

Error unreadable(std::string_view text, std::string reason) {
  return {.code = ErrorCode::path,
          .message = "cannot read the path or URI",
          .where = std::string(text.substr(0, std::min(text.find('\0'), std::size_t{1024}))),
          .why = std::move(reason),
          .retry = Retry::no};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_scheme_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/// The scheme in front of `:/`, in lower case; empty for a plain path (which may hold a colon).
std::string scheme_of(std::string_view text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text.front())) return {};
  const std::string_view scheme = text.substr(0, colon);
  if (!std::all_of(scheme.begin(), scheme.end(), is_scheme_character)) return {};
  return to_lower_ascii(scheme);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, std::string_view whole) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return unreadable(whole, "% is not followed by two hex digits");
    if (high == 0 && low == 0) return unreadable(whole, "%00 is not part of any path");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

/// The path of `file:/path`, `file:///path` or `file://localhost/path`; `rest` follows the scheme
/// and its colon.
Result<std::string> path_of_file_uri(std::string_view rest, std::string_view whole) {
  if (rest.substr(0, 2) == "//") {
    rest.remove_prefix(2);
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos)
      return unreadable(whole, "file:// is not followed by an absolute path");
    const std::string_view host = rest.substr(0, slash);
    if (!host.empty() && host != "localhost") {
      return unreadable(whole, "file://" + std::string(host) +
                                   " is on another machine; a local path is file:///…");
    }
    rest.remove_prefix(slash);
  }
  return absolute_path(SR_TRY(percent_decode(rest, whole)), "/");
}

}  // namespace

Result<Location> parse_location(std::string_view text, std::string_view working_directory) {
  if (text.empty()) return unreadable(text, "it is empty");
  if (text.find('\0') != std::string_view::npos) return unreadable(text, "it holds a NUL byte");
  const std::string scheme = scheme_of(text);
  if (scheme == "file") {
    return Location{.scheme = scheme, .path = SR_TRY(path_of_file_uri(text.substr(5), text))};
  }
  if (!scheme.empty()) return Location{.scheme = scheme, .path = std::string(text)};
  if (to_lower_ascii(text.substr(0, 5)) == "file:") {
    return unreadable(text, "file: is not followed by an absolute path");
  }
  return Location{.scheme = "file", .path = absolute_path(text, working_directory)};
}

void FileSystems::add(std::string scheme, std::unique_ptr<FileSystem> store) {
  stores_[std::move(scheme)] = std::move(store);
}

Result<FileSystem*> FileSystems::of_scheme(const std::string& scheme) const {
  const auto found = stores_.find(scheme);
  if (found != stores_.end()) return found->second.get();
  std::vector<std::string> known;
  for (const auto& [name, store] : stores_) known.push_back(name + "://");
  return Error{.code = ErrorCode::usage,
               .message = "this version has no file system for " + scheme + "://, only for " +
                          join(known, ", "),
               .retry = Retry::no};
}

}  // namespace streamrun
