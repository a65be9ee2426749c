#include <streamrun/base/strings.h>
#include <streamrun/storage/file_systems.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

constexpr const char* kLocalScheme = "file";

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

bool is_local_path(std::string_view path) {
  return scheme_of(path).empty();
}

void FileSystems::add(std::string scheme, std::unique_ptr<FileSystem> store) {
  auto entry = std::make_shared<Entry>();
  entry->store = std::move(store);
  stores_[std::move(scheme)] = std::move(entry);
}

void FileSystems::add(const std::vector<std::string>& schemes, MakeStore make) {
  auto entry = std::make_shared<Entry>();
  entry->make = std::move(make);
  for (const std::string& scheme : schemes) stores_[scheme] = entry;
}

Result<FileSystem*> FileSystems::of_scheme(const std::string& scheme) const {
  const auto found = stores_.find(scheme);
  if (found != stores_.end()) {
    Entry& entry = *found->second;
    const std::lock_guard lock(entry.mutex);
    if (entry.store == nullptr) entry.store = SR_TRY(entry.make());
    return entry.store.get();
  }
  std::vector<std::string> known;
  for (const auto& [name, entry] : stores_) known.push_back(name + "://");
  return Error{.code = ErrorCode::usage,
               .message = "this version has no file system for " + scheme + "://, only for " +
                          join(known, ", "),
               .retry = Retry::no};
}

Result<FileSystem*> FileSystems::of_path(const std::string& path) const {
  const std::string scheme = scheme_of(path);
  return of_scheme(scheme.empty() ? kLocalScheme : scheme);
}

Result<Place> FileSystems::place(std::string_view text, std::string_view working_directory) const {
  const Location location = SR_TRY(parse_location(text, working_directory));
  FileSystem* const store = SR_TRY(of_scheme(location.scheme));
  return Place{.path = SR_TRY(store->canonical(location.path)), .store = store};
}

Result<std::string> FileSystems::canonical(const std::string& path) const {
  return SR_TRY(of_path(path))->canonical(path);
}

Result<FileStatus> FileSystems::status(const std::string& path) {
  return SR_TRY(of_path(path))->status(path);
}

Result<std::vector<FileStatus>> FileSystems::list(const std::string& directory) {
  return SR_TRY(of_path(directory))->list(directory);
}

Result<std::unique_ptr<ReadableFile>> FileSystems::open(const std::string& path) {
  return SR_TRY(of_path(path))->open(path);
}

Result<std::unique_ptr<ReadableFile>> FileSystems::open_no_follow(const std::string& path) {
  return SR_TRY(of_path(path))->open_no_follow(path);
}

Result<std::unique_ptr<WritableFile>> FileSystems::create(const std::string& path) {
  return SR_TRY(of_path(path))->create(path);
}

Result<bool> FileSystems::create_directory(const std::string& path) {
  return SR_TRY(of_path(path))->create_directory(path);
}

Result<bool> FileSystems::rename_no_replace(const std::string& from, const std::string& to) {
  FileSystem* const store = SR_TRY(of_path(from));
  if (SR_TRY(of_path(to)) == store) return store->rename_no_replace(from, to);
  return Error{.code = ErrorCode::usage,
               .message = "a file can't be renamed from one store to another",
               .where = from,
               .why = "to " + to,
               .retry = Retry::no};
}

Result<bool> FileSystems::link(const std::string& from, const std::string& to) {
  FileSystem* const store = SR_TRY(of_path(from));
  if (SR_TRY(of_path(to)) != store) return false;
  return store->link(from, to);
}

Result<bool> FileSystems::remove_file(const std::string& path) {
  return SR_TRY(of_path(path))->remove_file(path);
}

Result<bool> FileSystems::remove_directory(const std::string& path) {
  return SR_TRY(of_path(path))->remove_directory(path);
}

Result<void> FileSystems::sync_directory(const std::string& path) {
  return SR_TRY(of_path(path))->sync_directory(path);
}

Result<std::unique_ptr<FolderLock>> FileSystems::lock(const std::string& path,
                                                      std::string_view note) {
  return SR_TRY(of_path(path))->lock(path, note);
}

Result<std::optional<std::string>> FileSystems::lock_holder(const std::string& path) {
  return SR_TRY(of_path(path))->lock_holder(path);
}

Result<bool> FileSystems::publish(const std::string& directory, const std::string& name,
                                  std::string_view bytes, const std::string& attempt) {
  return SR_TRY(of_path(directory))->publish(directory, name, bytes, attempt);
}

}  // namespace streamrun
