#include "hdfs_namespace.h"

#include <unordered_set>
#include <utility>

#include "webhdfs_error.h"

namespace streamrun {
namespace {

/// Some 200,000 entries.
constexpr std::size_t kMostListingBytes = std::size_t{64} << 20U;

Error not_done(const std::string& what, const std::string& where, const std::string& why) {
  return {.code = ErrorCode::store_io, .message = what, .where = where, .why = why};
}

Error not_a_folder(const std::string& where) {
  return {.code = ErrorCode::path, .message = "not a folder", .where = where};
}

/// A page that does not begin behind the one before it might come for ever.
Error listed_twice(const std::string& where) {
  return {.code = ErrorCode::unavailable,
          .message = "the name node lists names that it has listed before",
          .where = where};
}

WebHdfsRequest request_of(const HdfsName& name, std::string method, std::string op,
                          std::string query = {}) {
  return {.method = std::move(method),
          .op = std::move(op),
          .path = name.path,
          .query = std::move(query),
          .where = name.where};
}

/// All at once, for servers that do not know pages.
Result<WebHdfsListing> list_whole(const HdfsName& folder) {
  WebHdfsRequest request = request_of(folder, "GET", "LISTSTATUS");
  request.most_response_bytes = kMostListingBytes;
  const WebHdfsAnswer answer = SR_TRY(success_of(folder.nodes->ask(request), folder.where));
  if (auto listing = listing_of(answer.json)) return *std::move(listing);
  return nonsense("the name node", {.status = answer.status, .headers = {}, .body = {}},
                  folder.where);
}

Result<WebHdfsListing> list_page(const HdfsName& folder, const std::string& after) {
  const std::string query = after.empty() ? "" : "&startAfter=" + url_encoded(after);
  Result<WebHdfsAnswer> answer =
      folder.nodes->ask(request_of(folder, "GET", "LISTSTATUS_BATCH", query));
  const bool unknown_op = answer && answer->status == 400 && answer->exception && after.empty();
  if (unknown_op) return list_whole(folder);
  answer = success_of(std::move(answer), folder.where);
  if (!answer) return std::move(answer).error();
  if (auto listing = listing_of(answer->json)) return *std::move(listing);
  return nonsense("the name node", {.status = answer->status, .headers = {}, .body = {}},
                  folder.where);
}

/// What the names say of a rename that may have been done.
enum class Renamed { yes, no, taken };

Result<Renamed> look_for_rename(const HdfsName& from, const HdfsName& to,
                                const WebHdfsStatus& file) {
  const std::optional<WebHdfsStatus> target = SR_TRY(find(to));
  if (target) return is_same_file(*target, file) ? Renamed::yes : Renamed::taken;
  const std::optional<WebHdfsStatus> source = SR_TRY(find(from));
  if (source && is_same_file(*source, file)) return Renamed::no;
  // Between the two looks it may have been done.
  const std::optional<WebHdfsStatus> again = SR_TRY(find(to));
  if (again && is_same_file(*again, file)) return Renamed::yes;
  return Error{
      .code = ErrorCode::path, .message = "the file to rename is gone", .where = from.where};
}

/// An old server moves into a folder of that name, where a new one refuses. Takes it out again.
Result<bool> undo_move_into(const HdfsName& from, const HdfsName& folder,
                            const WebHdfsStatus& file) {
  const std::string name = base_name(from.path);
  const HdfsName inside{.nodes = folder.nodes,
                        .path = join_path(folder.path, name),
                        .where = join_path(folder.where, name)};
  const std::optional<WebHdfsStatus> moved = SR_TRY(find(inside));
  if (moved && is_same_file(*moved, file)) {
    SR_TRY(success_of(from.nodes->ask_to_change(request_of(
                          inside, "PUT", "RENAME", "&destination=" + url_encoded(from.path))),
                      from.where));
  }
  return false;
}

std::string reason_of(const Result<WebHdfsAnswer>& answer) {
  if (!answer) return answer.error().headline();
  return answer->exception ? answer->exception->name + ": " + answer->exception->message
                           : "the name node answers false";
}

/// Whether the name node says that it did it: `true`, or, where options are known, nothing.
bool says_done(const Result<WebHdfsAnswer>& answer) {
  if (!answer || answer->exception) return false;
  return boolean_of(answer->json).value_or(answer->json.is_discarded());
}

/// What is told of a rename that the name node refused though nothing stands in its way.
Error why_not_renamed(const HdfsName& from, const HdfsName& to,
                      const Result<WebHdfsAnswer>& answer) {
  if (!answer) return answer.error();
  if (const Result<void> folder = require_folder(parent_of(to)); !folder) return folder.error();
  if (answer->exception) return error_of(*answer->exception, from.where);
  return not_done("cannot rename to " + to.where, from.where, reason_of(answer));
}

/// One attempt, and what became of it.
Result<Renamed> rename_once(const HdfsName& from, const HdfsName& to, const WebHdfsStatus& file,
                            Backoff& backoff, Error& reason) {
  // With an option, even this one, nothing is moved into a folder.
  const Result<WebHdfsAnswer> answer = from.nodes->ask_to_change(
      request_of(from, "PUT", "RENAME",
                 "&destination=" + url_encoded(to.path) + "&renameoptions=NONE"),
      backoff);
  const bool knows_options = says_done(answer) && answer->json.is_discarded();
  if (knows_options) return Renamed::yes;
  const Renamed found = SR_TRY(look_for_rename(from, to, file));
  if (found == Renamed::no) reason = why_not_renamed(from, to, answer);
  return found;
}

Result<bool> look_for_removal(const HdfsName& name, const WebHdfsStatus& found) {
  const std::optional<WebHdfsStatus> left = SR_TRY(find(name));
  return !left || !is_same_file(*left, found);
}

}  // namespace

HdfsName parent_of(const HdfsName& name) {
  return {.nodes = name.nodes, .path = parent_path(name.path), .where = parent_path(name.where)};
}

Result<WebHdfsStatus> status_of(const HdfsName& name) {
  return name.nodes->status(name.path, name.where);
}

Result<std::optional<WebHdfsStatus>> find(const HdfsName& name) {
  Result<WebHdfsStatus> status = status_of(name);
  if (status) return std::optional(*std::move(status));
  if (status.error().code == ErrorCode::path) return std::optional<WebHdfsStatus>();
  return std::move(status).error();
}

Result<void> require_folder(const HdfsName& name) {
  const WebHdfsStatus status = SR_TRY(status_of(name));
  if (status.kind == FileKind::directory) return {};
  return not_a_folder(name.where);
}

Result<std::vector<WebHdfsStatus>> list(const HdfsName& folder) {
  std::vector<WebHdfsStatus> found;
  std::unordered_set<std::string> names;
  while (true) {
    WebHdfsListing page = SR_TRY(list_page(folder, found.empty() ? "" : found.back().name));
    // Of a file HDFS lists the file itself, without a name.
    if (page.entries.size() == 1 && page.entries.front().name.empty())
      return not_a_folder(folder.where);
    const bool is_last = page.remaining == 0 || page.entries.empty();
    for (WebHdfsStatus& entry : page.entries) {
      // HDFS's order is that of signed bytes, other file systems behind WebHDFS have their own.
      if (!names.insert(entry.name).second) return listed_twice(folder.where);
      found.push_back(std::move(entry));
    }
    if (is_last) return found;
  }
}

Result<bool> create_directory(const HdfsName& name) {
  if (const auto there = SR_TRY(find(name))) {
    if (there->kind == FileKind::directory) return false;
    return not_a_folder(name.where);
  }
  // MKDIRS makes what is missing above, and answers true for what is there: both are looked at
  // first, and it may be repeated.
  SR_TRY(require_folder(parent_of(name)));
  const WebHdfsAnswer answer =
      SR_TRY(success_of(name.nodes->ask(request_of(name, "PUT", "MKDIRS")), name.where));
  if (boolean_of(answer.json).value_or(false)) return true;
  SR_TRY(require_folder(parent_of(name)));
  return not_done("cannot create the folder", name.where, "the name node answers false");
}

Result<bool> rename_no_replace(const HdfsName& from, const HdfsName& to) {
  if (from.nodes != to.nodes)
    return not_done("cannot rename to " + to.where, from.where, "it is in another cluster");
  const WebHdfsStatus file = SR_TRY(status_of(from));
  if (SR_TRY(find(to))) return false;
  NameNodes& nodes = *from.nodes;
  Backoff backoff = nodes.backoff();
  while (true) {
    Error reason;
    const Result<Renamed> renamed = rename_once(from, to, file, backoff, reason);
    if (!renamed) {
      const std::optional<WebHdfsStatus> target = SR_TRY(find(to));
      if (target && target->kind == FileKind::directory) return undo_move_into(from, to, file);
      return renamed.error();
    }
    if (*renamed == Renamed::yes) return true;
    if (*renamed == Renamed::taken) {
      const std::optional<WebHdfsStatus> target = SR_TRY(find(to));
      const bool is_folder = target && target->kind == FileKind::directory;
      return is_folder ? undo_move_into(from, to, file) : Result<bool>(false);
    }
    if (reason.code != ErrorCode::unavailable || !backoff.again()) return reason;
  }
}

Result<bool> remove(const HdfsName& name, FileKind kind) {
  const std::optional<WebHdfsStatus> there = SR_TRY(find(name));
  if (!there) return false;
  if (there->kind != kind) {
    return not_done(kind == FileKind::directory ? "cannot remove the folder: it is a file"
                                                : "cannot remove the file: it is a folder",
                    name.where, {});
  }
  NameNodes& nodes = *name.nodes;
  Backoff backoff = nodes.backoff();
  while (true) {
    const Result<WebHdfsAnswer> answer =
        nodes.ask_to_change(request_of(name, "DELETE", "DELETE", "&recursive=false"), backoff);
    if (answer && answer->exception) {
      if (kind == FileKind::directory &&
          answer->exception->name == "PathIsNotEmptyDirectoryException")
        return false;
      return error_of(*answer->exception, name.where);
    }
    if (answer && boolean_of(answer->json).value_or(false)) return true;
    if (SR_TRY(look_for_removal(name, *there))) return true;
    if (!backoff.again()) {
      return answer ? not_done("cannot remove it", name.where, reason_of(answer)) : answer.error();
    }
  }
}

}  // namespace streamrun
