#include "webhdfs_answer.h"

#include <algorithm>

namespace streamrun {
namespace {

using Json = nlohmann::json;

constexpr int kMostDepth = 32;
constexpr std::size_t kMostMessageBytes = 1000;

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::uint64_t count_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

std::optional<WebHdfsStatus> status_of(const Json& json) {
  const std::string type = text_of(json, "type");
  const Json* length = member(json, "length");
  if (type.empty() || length == nullptr || !length->is_number_unsigned()) return std::nullopt;
  WebHdfsStatus status;
  status.name = text_of(json, "pathSuffix");
  status.is_link = type == "SYMLINK";
  if (type == "FILE") status.kind = FileKind::file;
  if (type == "DIRECTORY") status.kind = FileKind::directory;
  if (status.is_link) status.kind = FileKind::link;
  status.length = length->get<std::uint64_t>();
  status.file_id = count_of(json, "fileId");
  status.block_size = count_of(json, "blockSize");
  status.modified_unix_milliseconds =
      static_cast<std::int64_t>(count_of(json, "modificationTime") & INT64_MAX);
  return status;
}

/// The value of `"key":"…"` in JSON that may be cut.
std::string field_in(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  return std::string(text.substr(0, std::min(text.find('"'), kMostMessageBytes)));
}

std::string first_line(std::string text) {
  text.resize(std::min({text.size(), text.find('\n'), kMostMessageBytes}));
  return text;
}

}  // namespace

Json parse_webhdfs_json(std::string_view text) {
  const Json::parser_callback_t no_deeper = [](int depth, Json::parse_event_t, Json&) {
    return depth <= kMostDepth;
  };
  return Json::parse(text.begin(), text.end(), no_deeper, /*allow_exceptions=*/false);
}

std::optional<RemoteException> remote_exception_of(const Json& document) {
  const Json* remote = member(document, "RemoteException");
  if (remote == nullptr) return std::nullopt;
  RemoteException exception{.name = text_of(*remote, "exception"),
                            .message = first_line(text_of(*remote, "message"))};
  if (exception.name.empty()) return std::nullopt;
  return exception;
}

std::optional<RemoteException> remote_exception_in(std::string_view text) {
  const std::size_t begin = text.find("{\"RemoteException\"");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  if (auto whole = remote_exception_of(parse_webhdfs_json(text))) return whole;
  RemoteException exception{.name = field_in(text, "\"exception\":\""),
                            .message = field_in(text, "\"message\":\"")};
  if (exception.name.empty()) return std::nullopt;
  return exception;
}

std::optional<bool> boolean_of(const Json& document) {
  const Json* value = member(document, "boolean");
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::optional<WebHdfsStatus> file_status_of(const Json& document) {
  const Json* status = member(document, "FileStatus");
  return status == nullptr ? std::nullopt : status_of(*status);
}

std::optional<WebHdfsListing> listing_of(const Json& document) {
  WebHdfsListing listing;
  const Json* holder = &document;
  if (const Json* batch = member(document, "DirectoryListing")) {
    listing.remaining = count_of(*batch, "remainingEntries");
    holder = member(*batch, "partialListing");
  }
  const Json* statuses = holder == nullptr ? nullptr : member(*holder, "FileStatuses");
  const Json* entries = statuses == nullptr ? nullptr : member(*statuses, "FileStatus");
  if (entries == nullptr || !entries->is_array()) return std::nullopt;
  for (const Json& entry : *entries) {
    std::optional<WebHdfsStatus> status = status_of(entry);
    if (!status) return std::nullopt;
    listing.entries.push_back(*std::move(status));
  }
  return listing;
}

bool is_same_file(const WebHdfsStatus& one, const WebHdfsStatus& other) {
  if (one.kind != other.kind) return false;
  if (one.file_id != 0 && other.file_id != 0) return one.file_id == other.file_id;
  return one.length == other.length &&
         one.modified_unix_milliseconds == other.modified_unix_milliseconds;
}

}  // namespace streamrun
