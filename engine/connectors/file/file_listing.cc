#include "file_listing.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fnmatch.h>

namespace streamrun {
namespace {

bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_');
}
bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

/// The folder that a pattern's fixed beginning names, and the parts that follow.
struct PatternParts {
  std::string folder;
  std::vector<std::string> parts;
};

PatternParts take_apart(const std::string& pattern) {
  const std::size_t wildcard = pattern.find_first_of("*?[");
  const std::size_t slash = pattern.rfind('/', wildcard);
  PatternParts taken{.folder = pattern.substr(0, slash), .parts = {}};
  if (taken.folder.empty()) taken.folder = "/";
  for (std::string& part : split(pattern.substr(slash + 1), '/')) {
    if (!part.empty()) taken.parts.push_back(std::move(part));
  }
  return taken;
}

Error no_such_path(const std::string& path, std::string message) {
  return {
      .code = ErrorCode::path, .message = std::move(message), .where = path, .retry = Retry::no};
}

class InputLister {
 public:
  InputLister(FileSystem& store, std::map<std::string, FileStatus>& found)
      : store_(store), found_(found) {}

  Result<void> add(const InputPath& input, bool may_be_empty) {
    const std::string& path = input.place.path;
    Result<FileStatus> status = store_.status(path);
    if (status) return add_named(*std::move(status));
    if (status.error().code != ErrorCode::path) return std::move(status).error();
    if (is_pattern(path)) return add_pattern(path, may_be_empty);
    if (input.may_be_gone) return {};
    return no_such_path(path, "no such input file or folder");
  }

 private:
  Result<void> add_named(FileStatus status) {
    switch (status.kind) {
      case FileKind::file:
        keep(std::move(status));
        return {};
      case FileKind::directory:
        return add_tree(status.path, /*must_be_there=*/true);
      case FileKind::link:
        return no_such_path(status.path, "the input is a link that leads nowhere");
      case FileKind::other:
        break;
    }
    return no_such_path(status.path, "the input is neither a file nor a folder");
  }

  Result<void> add_pattern(const std::string& pattern, bool may_be_empty) {
    const PatternParts taken = take_apart(pattern);
    const std::size_t before = matched_;
    SR_TRY(match(taken.folder, taken.parts, 0));
    if (matched_ > before || may_be_empty) return {};
    return no_such_path(pattern, "no input matches the pattern");
  }

  /// Adds what lies in `folder` and matches the parts from `index` on.
  Result<void> match(const std::string& folder, const std::vector<std::string>& parts,
                     std::size_t index) {
    const bool is_last = index + 1 == parts.size();
    if (!is_pattern(parts[index]))
      return match_fixed(join_path(folder, parts[index]), parts, index);
    for (FileStatus& entry : SR_TRY(list(folder, /*must_be_there=*/index == 0))) {
      const std::string name = base_name(entry.path);
      if (is_hidden(name) || ::fnmatch(parts[index].c_str(), name.c_str(), FNM_NOESCAPE) != 0)
        continue;
      if (entry.kind == FileKind::file && is_last) {
        ++matched_;
        keep(std::move(entry));
      } else if (entry.kind == FileKind::directory && !entry.is_link) {
        SR_TRY(is_last ? add_matched_tree(entry.path) : match(entry.path, parts, index + 1));
      }
    }
    return {};
  }

  Result<void> match_fixed(const std::string& path, const std::vector<std::string>& parts,
                           std::size_t index) {
    if (index + 1 < parts.size()) return match(path, parts, index + 1);
    Result<FileStatus> status = store_.status(path);
    if (!status && status.error().code == ErrorCode::path) return {};
    if (!status) return std::move(status).error();
    if (status->kind == FileKind::directory) return add_matched_tree(path);
    if (status->kind != FileKind::file) return {};
    ++matched_;
    keep(*std::move(status));
    return {};
  }

  Result<void> add_matched_tree(const std::string& folder) {
    ++matched_;
    return add_tree(folder, /*must_be_there=*/false);
  }

  Result<void> add_tree(const std::string& root, bool must_be_there) {
    std::vector<std::string> folders{root};
    while (!folders.empty()) {
      const std::string folder = std::move(folders.back());
      folders.pop_back();
      for (FileStatus& entry : SR_TRY(list(folder, must_be_there && folder == root))) {
        if (is_hidden(base_name(entry.path))) continue;
        if (entry.kind == FileKind::file) {
          keep(std::move(entry));
        } else if (entry.kind == FileKind::directory && !entry.is_link) {
          folders.push_back(std::move(entry.path));
        }
      }
    }
    return {};
  }

  /// A folder below the named one may go while we look.
  Result<std::vector<FileStatus>> list(const std::string& folder, bool must_be_there) {
    Result<std::vector<FileStatus>> entries = store_.list(folder);
    if (entries || must_be_there || entries.error().code != ErrorCode::path) return entries;
    return std::vector<FileStatus>();
  }

  void keep(FileStatus file) {
    std::string path = file.path;
    found_.insert_or_assign(std::move(path), std::move(file));
  }

  FileSystem& store_;
  std::map<std::string, FileStatus>& found_;
  std::size_t matched_ = 0;
};

InputListing one_name_each(std::map<std::string, FileStatus> found) {
  InputListing listing;
  std::set<std::string> identities;
  for (auto& [path, file] : found) {
    const bool is_new = file.identity.empty() || identities.insert(file.identity).second;
    if (is_new) {
      listing.files.push_back(std::move(file));
    } else {
      listing.other_names.push_back(path);
    }
  }
  return listing;
}

std::string text_of(const std::vector<InputPath>& paths) {
  std::vector<std::string> texts;
  for (const InputPath& path : paths) texts.push_back(path.place.path);
  return join(texts, ", ");
}

}  // namespace

Result<InputListing> list_input(const std::vector<InputPath>& paths, bool may_be_empty) {
  std::map<std::string, FileStatus> found;
  for (const InputPath& path : paths) {
    SR_TRY(InputLister(*path.place.store, found).add(path, may_be_empty));
  }
  if (found.empty() && !may_be_empty) return no_such_path(text_of(paths), "there is no input file");
  return one_name_each(std::move(found));
}

}  // namespace streamrun
