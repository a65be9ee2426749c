#include "sim/sim_hdfs.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/strings.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "sim/done_exchange.h"

namespace streamrun::sim {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPrefix = "/webhdfs/v1";
constexpr std::uint64_t kBlockBytes = std::uint64_t{128} << 20U;
constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 30U;
constexpr std::uint64_t kRootId = 16385;

Error gone(const std::string& server) {
  return {.code = ErrorCode::unavailable, .message = "cannot reach " + server};
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      decoded +=
          static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

HttpResponse answer(const Json& json, int status = 200) {
  return {.status = status,
          .headers = {{"content-type", "application/json"}},
          .body = json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

HttpResponse thrown(int status, const std::string& package, const std::string& name,
                    const std::string& message) {
  return answer({{"RemoteException",
                  {{"exception", name}, {"javaClassName", package + name}, {"message", message}}}},
                status);
}

HttpResponse not_found(const std::string& path) {
  return thrown(404, "java.io.", "FileNotFoundException", "File does not exist: " + path);
}

HttpResponse says(bool value) {
  return answer({{"boolean", value}});
}

HttpResponse page_for_people(int status) {
  return {.status = status,
          .headers = {{"content-type", "text/html"}},
          .body = "<html><body><h1>Portal</h1>\n\x01please log in</body></html>"};
}

}  // namespace

const std::vector<HdfsFault>& all_hdfs_faults() {
  static const std::vector<HdfsFault> kAll = {
      HdfsFault::lost_request, HdfsFault::cut_request,        HdfsFault::lost_reply,
      HdfsFault::late_close,   HdfsFault::half_body,          HdfsFault::html,
      HdfsFault::server_error, HdfsFault::server_error_after, HdfsFault::boolean_false,
      HdfsFault::standby,      HdfsFault::safe_mode,          HdfsFault::dead_data_node,
      HdfsFault::redirected};
  return kAll;
}

std::string_view name_of(HdfsFault fault) {
  static constexpr std::string_view kNames[] = {
      "none",      "lost request", "cut request",    "lost reply",         "late close",
      "half body", "html",         "server error",   "server error after", "boolean false",
      "standby",   "safe mode",    "dead data node", "redirected"};
  return kNames[static_cast<std::size_t>(fault)];
}

/// A body on its way to a data node, which takes the name at once.
class SimHdfs::SimUpload final : public HttpUpload {
 public:
  SimUpload(SimHdfs& hdfs, Call call, HdfsFault fault)
      : hdfs_(hdfs), call_(std::move(call)), fault_(fault) {
    is_dead_ = !hdfs_.is_up(call_.server) || fault_ == HdfsFault::lost_request;
    if (is_dead_) return;
    const std::lock_guard lock(hdfs_.mutex_);
    refusal_ = hdfs_.refuse_create(call_);
    if (!refusal_) hdfs_.write(call_.path, "");
    is_open_ = !refusal_;
  }
  ~SimUpload() override {
    if (is_open_) close(body_);
  }

  Result<void> append(std::string_view bytes) override {
    body_ += bytes;
    const bool is_noticed = body_.size() > hdfs_.queued_bytes_;
    if (is_dead_ && is_noticed) return gone(call_.server);
    if (fault_ == HdfsFault::cut_request && is_noticed) return cut();
    if (refusal_ && is_noticed) {
      Error error = gone(call_.server);
      error.message = call_.server + " answers before the body has ended";
      error.why = "HTTP 403: " + refusal_->body;
      return error;
    }
    return {};
  }

  Result<HttpResponse> finish() override {
    if (is_dead_) return gone(call_.server);
    if (refusal_) return *refusal_;
    if (fault_ == HdfsFault::cut_request) return cut();
    is_open_ = false;
    const std::lock_guard lock(hdfs_.mutex_);
    if (!hdfs_.is_there(call_.path)) return not_found(call_.path);  // removed while it was open
    hdfs_.forget(call_.path);
    return hdfs_.serve(call_, body_, fault_);
  }

 private:
  Error cut() {
    if (is_open_) close(body_.substr(0, body_.size() / 2));
    return gone(call_.server);
  }
  void close(std::string_view bytes) {
    is_open_ = false;
    const std::lock_guard lock(hdfs_.mutex_);
    if (!hdfs_.is_there(call_.path)) return;
    hdfs_.forget(call_.path);
    hdfs_.write(call_.path, bytes);
  }

  SimHdfs& hdfs_;
  const Call call_;
  const HdfsFault fault_;
  std::string body_;
  std::optional<HttpResponse> refusal_;
  bool is_dead_ = false;
  bool is_open_ = false;
};

std::string SimHdfs::Call::of(const std::string& key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string() : found->second;
}

SimHdfs::SimHdfs(FileSystem& files)
    : files_(files),
      name_nodes_{"http://nn:9870"},
      data_nodes_{"http://dn1:9864", "http://dn2:9864"} {}

void SimHdfs::set_name_nodes(std::vector<std::string> urls) {
  name_nodes_ = std::move(urls);
}

void SimHdfs::set_data_nodes(std::vector<std::string> urls) {
  data_nodes_ = std::move(urls);
}

void SimHdfs::fail_request(std::uint64_t number, HdfsFault fault, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) faults_[number + i] = fault;
}

void SimHdfs::draw_faults(Tape& tape, std::uint64_t one_in) {
  choose_faults([&tape, one_in](const HdfsSeen&) {
    return tape.one_in(one_in) ? all_hdfs_faults()[tape.below(all_hdfs_faults().size())]
                               : HdfsFault::none;
  });
}

// ---- the files

std::optional<FileStatus> SimHdfs::look(const std::string& path) const {
  Result<FileStatus> status = files_.status(path);
  return status ? std::optional(*std::move(status)) : std::nullopt;
}

bool SimHdfs::is_folder(const std::string& path) const {
  const std::optional<FileStatus> status = look(path);
  return status && status->kind == FileKind::directory;
}

std::string SimHdfs::bytes_of(const std::string& path) const {
  Result<std::string> bytes = files_.read_all(path, kMostFileBytes);
  return bytes ? *std::move(bytes) : std::string();
}

void SimHdfs::write(const std::string& path, std::string_view bytes) {
  const Result<std::unique_ptr<WritableFile>> file = files_.create(path);
  SR_ASSERT(file && (*file)->append(bytes) && (*file)->sync() && (*file)->close() &&
                files_.sync_directory(parent_path(path)),
            "the store behind HDFS takes a file");
}

void SimHdfs::forget(const std::string& path) {
  const Result<bool> removed =
      is_folder(path) ? files_.remove_directory(path) : files_.remove_file(path);
  SR_ASSERT(removed && files_.sync_directory(parent_path(path)),
            "the store behind HDFS removes what is there");
}

void SimHdfs::put_folder(const std::string& path) {
  SR_ASSERT(files_.create_directories(path), "the store behind HDFS takes a folder");
}

void SimHdfs::put_file(const std::string& path, std::string_view bytes) {
  put_folder(parent_path(path));
  if (is_there(path)) forget(path);
  write(path, bytes);
}

std::map<std::string, std::string> SimHdfs::files() const {
  std::map<std::string, std::string> found;
  std::vector<std::string> folders{"/"};
  while (!folders.empty()) {
    const std::string folder = std::exchange(folders.back(), {});
    folders.pop_back();
    const Result<std::vector<FileStatus>> content = files_.list(folder);
    if (!content) continue;
    for (const FileStatus& entry : *content) {
      if (entry.kind == FileKind::directory) {
        folders.push_back(entry.path);
      } else {
        found[entry.path] = bytes_of(entry.path);
      }
    }
  }
  return found;
}

bool SimHdfs::has_folder(const std::string& path) const {
  return is_folder(path);
}

// ---- the network

bool SimHdfs::is_up(const std::string& url) const {
  const bool is_known = is_name_node(url) ||
                        std::find(data_nodes_.begin(), data_nodes_.end(), url) != data_nodes_.end();
  return is_known && !stopped_.contains(url);
}

bool SimHdfs::is_name_node(const std::string& url) const {
  return std::find(name_nodes_.begin(), name_nodes_.end(), url) != name_nodes_.end();
}

SimHdfs::Call SimHdfs::parse(const HttpRequest& request) {
  Call call{.method = request.method};
  const std::string& url = request.url;
  const std::size_t scheme = url.find("://");
  const std::size_t slash = scheme == std::string::npos ? 0 : url.find('/', scheme + 3);
  const std::size_t query = std::min(url.find('?'), url.size());
  call.server = url.substr(0, slash);
  const std::string path = percent_decoded(url.substr(slash, query - slash));
  if (path.starts_with(kPrefix)) call.path = path.substr(kPrefix.size());
  if (query == url.size()) return call;
  for (const std::string& part : split(url.substr(query + 1), '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    call.query[part.substr(0, equals)] =
        equals == part.size() ? "" : percent_decoded(part.substr(equals + 1));
  }
  return call;
}

HdfsFault SimHdfs::note(const Call& call, const HttpRequest& request) {
  ++requests_;
  told_.push_back(call.method + " " + call.of("op") + " " + call.path);
  urls_.push_back(request.url);
  if (choose_fault_) {
    return choose_fault_({.method = call.method,
                          .op = call.of("op"),
                          .path = call.path,
                          .at_name_node = is_name_node(call.server)});
  }
  const auto found = faults_.find(requests_);
  return found == faults_.end() ? HdfsFault::none : found->second;
}

Result<HttpResponse> SimHdfs::exchange(const HttpRequest& request, Duration) {
  const std::lock_guard lock(mutex_);
  return serve(request);
}

std::unique_ptr<HttpExchange> SimHdfs::start(HttpRequest request, Duration) {
  const std::lock_guard lock(mutex_);
  Result<HttpResponse> outcome = serve(request);
  return std::make_unique<DoneExchange>(std::move(outcome), std::move(request.body));
}

std::unique_ptr<HttpUpload> SimHdfs::upload(HttpRequest request, Duration) {
  HdfsFault fault = HdfsFault::none;
  const Call call = parse(request);
  {
    const std::lock_guard lock(mutex_);
    fault = note(call, request);
  }
  return std::make_unique<SimUpload>(*this, call, fault);
}

void SimHdfs::pause(Duration duration) {
  const std::lock_guard lock(mutex_);
  pauses_.push_back(duration);
}

Result<HttpResponse> SimHdfs::serve(const HttpRequest& request) {
  const Call call = parse(request);
  const HdfsFault fault = note(call, request);
  if (fixed_answer_) return *fixed_answer_;
  if (!is_up(call.server)) return gone(call.server);
  Result<HttpResponse> response = serve(call, request.body, fault);
  if (response && response->body.size() > request.most_response_bytes) {
    return Error{.code = ErrorCode::unavailable, .message = "the answer is too long"};
  }
  return response;
}

Result<HttpResponse> SimHdfs::serve(const Call& call, const std::string& body, HdfsFault fault) {
  const bool has_boolean =
      call.of("op") == "RENAME" || call.of("op") == "MKDIRS" || call.of("op") == "DELETE";
  switch (fault) {
    case HdfsFault::lost_request:
      return gone(call.server);
    case HdfsFault::html:
      return page_for_people(200);
    case HdfsFault::server_error:
      return page_for_people(500);
    case HdfsFault::boolean_false:
      if (has_boolean) return says(false);
      break;
    case HdfsFault::standby:
      return thrown(403, "org.apache.hadoop.ipc.", "StandbyException",
                    "Operation category READ is not supported in state standby");
    case HdfsFault::safe_mode:
      return thrown(403, "org.apache.hadoop.hdfs.server.namenode.", "SafeModeException",
                    "Name node is in safe mode.\nIt was turned on manually.");
    case HdfsFault::redirected:
      return HttpResponse{.status = 307, .headers = {{"location", urls_.back()}}, .body = {}};
    case HdfsFault::cut_request:
      if (body.empty()) return gone(call.server);
      act(call, body.substr(0, body.size() / 2));
      return gone(call.server);
    default:
      break;
  }
  HttpResponse response = act(call, body);
  switch (fault) {
    case HdfsFault::late_close:
      if (const auto file = look(call.path); file && !body.empty())
        looks_until_closed_[file->identity] = 2;
      return gone(call.server);
    case HdfsFault::lost_reply:
      return gone(call.server);
    case HdfsFault::half_body:
      if (response.body.empty()) return gone(call.server);
      response.body.resize(response.body.size() / 2);
      return response;
    case HdfsFault::server_error_after:
      return page_for_people(500);
    case HdfsFault::dead_data_node:
      for (auto& [name, value] : response.headers) {
        if (name == "location" && response.status == 307)
          value = "http://dead:9864" + value.substr(value.find(kPrefix));
      }
      return response;
    default:
      return response;
  }
}

HttpResponse SimHdfs::act(const Call& call, const std::string& body) {
  if (!is_name_node(call.server)) return at_data_node(call, body);
  if (call.server != name_nodes_[active_]) {
    return thrown(403, "org.apache.hadoop.ipc.", "StandbyException",
                  "Operation category READ is not supported in state standby");
  }
  return at_name_node(call);
}

// ---- the name node

HttpResponse SimHdfs::at_name_node(const Call& call) {
  const std::string op = call.method + " " + call.of("op");
  if (op == "GET GETFILESTATUS") return file_status(call);
  if (op == "GET LISTSTATUS" || op == "GET LISTSTATUS_BATCH") return list(call);
  if (op == "GET OPEN" || op == "PUT CREATE") return redirect(call);
  if (op == "PUT MKDIRS") return make_folders(call);
  if (op == "PUT RENAME") return rename(call);
  if (op == "DELETE DELETE") return remove(call);
  return thrown(400, "java.lang.", "IllegalArgumentException",
                "Invalid value for webhdfs parameter \"op\": No enum constant " + call.of("op"));
}

HttpResponse SimHdfs::redirect(const Call& call) {
  if (call.of("op") == "OPEN" && (!is_there(call.path) || is_folder(call.path)))
    return not_found(call.path);
  std::vector<std::string> usable;
  for (const std::string& node : data_nodes_) {
    const std::string host = node.substr(7, node.rfind(':') - 7);
    const std::vector<std::string> excluded = split(call.of("excludedatanodes"), ',');
    if (std::find(excluded.begin(), excluded.end(), host) == excluded.end()) usable.push_back(node);
  }
  if (usable.empty() && call.of("op") == "OPEN" && !bytes_of(call.path).empty())
    return thrown(403, "java.io.", "IOException", "No active nodes contain this block");
  if (usable.empty()) {
    return thrown(403, "java.io.", "IOException",
                  "Failed to find datanode, suggest to check cluster health.");
  }
  std::string location = usable[next_data_node_++ % usable.size()];
  location += urls_.back().substr(urls_.back().find(kPrefix)) + "&namenoderpcaddress=nn:8020";
  return {.status = 307, .headers = {{"location", location}}, .body = {}};
}

namespace {

std::uint64_t id_of(const FileStatus& status) {
  const std::string& identity = status.identity;
  return kRootId + std::stoull(identity.substr(identity.find_first_of("0123456789")));
}

Json status_json(const FileStatus& status, const std::string& name, bool tells_file_id) {
  const bool is_folder = status.kind == FileKind::directory;
  Json json = {{"pathSuffix", name},
               {"type", is_folder ? "DIRECTORY" : "FILE"},
               {"length", is_folder ? 0 : status.size},
               {"blockSize", is_folder ? 0 : kBlockBytes},
               {"modificationTime", status.modified_unix_milliseconds},
               {"owner", "user"},
               {"permission", is_folder ? "755" : "644"},
               {"replication", is_folder ? 0 : 1}};
  if (tells_file_id) json["fileId"] = id_of(status);
  return json;
}

}  // namespace

HttpResponse SimHdfs::file_status(const Call& call) {
  std::optional<FileStatus> found = look(call.path);
  if (!found) {
    const std::string parent = parent_path(call.path);
    if (is_there(parent) && !is_folder(parent)) {
      return thrown(403, "org.apache.hadoop.fs.", "ParentNotDirectoryException",
                    parent + " (is not a directory)");
    }
    return not_found(call.path);
  }
  const auto closing = looks_until_closed_.find(found->identity);
  if (closing != looks_until_closed_.end() && closing->second-- > 0) found->size = 0;
  return answer({{"FileStatus", status_json(*found, "", tells_file_ids_)}});
}

HttpResponse SimHdfs::list(const Call& call) {
  const std::optional<FileStatus> found = look(call.path);
  const bool is_paged = call.of("op") == "LISTSTATUS_BATCH";
  if (is_paged && page_entries_ == 0) {
    return thrown(400, "java.lang.", "IllegalArgumentException",
                  "Invalid value for webhdfs parameter \"op\": No enum constant LISTSTATUS_BATCH");
  }
  if (!found) return not_found(call.path);
  Json entries = Json::array();
  std::uint64_t remaining = 0;
  if (found->kind != FileKind::directory)
    entries.push_back(status_json(*found, "", tells_file_ids_));
  const Result<std::vector<FileStatus>> content = files_.list(call.path);
  for (const FileStatus& entry : content ? *content : std::vector<FileStatus>()) {
    const std::string name = base_name(entry.path);
    if (is_paged && name <= call.of("startAfter")) continue;
    if (is_paged && entries.size() == page_entries_) {
      ++remaining;
      continue;
    }
    entries.push_back(status_json(entry, name, tells_file_ids_));
  }
  const Json statuses = {{"FileStatuses", {{"FileStatus", entries}}}};
  if (!is_paged) return answer(statuses);
  return answer(
      {{"DirectoryListing", {{"partialListing", statuses}, {"remainingEntries", remaining}}}});
}

HttpResponse SimHdfs::make_folders(const Call& call) {
  for (std::string path = call.path; path != "/"; path = parent_path(path)) {
    if (is_there(path) && !is_folder(path)) {
      return thrown(403, "org.apache.hadoop.fs.", "FileAlreadyExistsException",
                    "Path is not a directory: " + path);
    }
  }
  put_folder(call.path);
  return says(true);
}

HttpResponse SimHdfs::rename(const Call& call) {
  const bool has_options = knows_rename_options_ && !call.of("renameoptions").empty();
  std::string to = call.of("destination");
  if (!is_there(call.path)) return has_options ? not_found(call.path) : says(false);
  if (has_options && is_there(to)) {
    return thrown(403, "org.apache.hadoop.fs.", "FileAlreadyExistsException",
                  "rename destination " + to + " already exists");
  }
  if (!has_options && is_folder(to)) to = join_path(to, base_name(call.path));
  if (is_there(to)) return says(false);
  if (!is_folder(parent_path(to))) {
    if (!has_options) return says(false);
    return thrown(404, "java.io.", "FileNotFoundException",
                  "rename destination parent " + to + " not found");
  }
  SR_ASSERT(files_.rename_no_replace(call.path, to).value() &&
                files_.sync_directory(parent_path(to)) &&
                files_.sync_directory(parent_path(call.path)),
            "the store behind HDFS renames to a free name");
  if (has_options) return {.status = 200, .headers = {}, .body = {}};
  return says(true);
}

HttpResponse SimHdfs::remove(const Call& call) {
  if (!is_there(call.path)) return says(false);
  if (is_folder(call.path) && !files_.list(call.path).value().empty()) {
    return thrown(403, "org.apache.hadoop.fs.", "PathIsNotEmptyDirectoryException",
                  "`" + call.path + " is non empty': Directory is not empty");
  }
  forget(call.path);
  return says(true);
}

// ---- the data node

HttpResponse SimHdfs::at_data_node(const Call& call, const std::string& body) {
  const std::string op = call.method + " " + call.of("op");
  if (op == "GET OPEN") return read(call);
  if (op == "PUT CREATE") {
    if (auto refusal = refuse_create(call)) return *refusal;
    return finish_create(call, body);
  }
  return thrown(400, "java.lang.", "IllegalArgumentException", "Invalid operation");
}

HttpResponse SimHdfs::read(const Call& call) {
  const Result<std::unique_ptr<ReadableFile>> file = files_.open(call.path);
  if (!file) return not_found(call.path);
  const std::uint64_t size = (*file)->size();
  const std::uint64_t offset = std::stoull(call.of("offset"));
  const std::uint64_t length = std::stoull(call.of("length"));
  if (offset > size) return thrown(403, "java.io.", "IOException", "Offset out of the range");
  std::string bytes(std::min(length, size - offset), '\0');
  bytes.resize((*file)->read_at(offset, bytes.data(), bytes.size()).value());
  read_bytes_ += bytes.size();
  return {.status = 200, .headers = {}, .body = std::move(bytes)};
}

std::optional<HttpResponse> SimHdfs::refuse_create(const Call& call) const {
  if (is_there(call.path)) {
    return thrown(403, "org.apache.hadoop.fs.", "FileAlreadyExistsException",
                  call.path + " for client 127.0.0.1 already exists");
  }
  if (!is_folder(parent_path(call.path))) return not_found(parent_path(call.path));
  return std::nullopt;
}

HttpResponse SimHdfs::finish_create(const Call& call, const std::string& body) {
  std::uint64_t used = body.size();
  if (capacity_ != UINT64_MAX) {
    for (const auto& [path, bytes] : files()) used += bytes.size();
  }
  const bool is_full = used > capacity_;
  write(call.path, is_full ? "" : body);
  if (is_full) {
    return thrown(403, "java.io.", "IOException",
                  "File " + call.path +
                      " could only be written to 0 of the 1 minReplication nodes. There are 1 "
                      "datanode(s) running and no node(s) are excluded in this operation.");
  }
  return {.status = 201, .headers = {{"location", "hdfs://nn:8020" + call.path}}, .body = {}};
}

}  // namespace streamrun::sim
