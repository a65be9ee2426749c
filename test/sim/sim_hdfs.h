#pragma once

#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/tape.h"

namespace streamrun::sim {

/// What may happen to one request.
enum class HdfsFault {
  none,
  lost_request,        ///< no answer; nothing was done
  cut_request,         ///< no answer; a body arrived by half, and HDFS closed the file so
  lost_reply,          ///< no answer; it was done
  late_close,          ///< the same, and a new file shows its length only some looks later
  half_body,           ///< done; the answer breaks off
  html,                ///< not done; a page for people comes, with status 200
  server_error,        ///< 500; nothing was done
  server_error_after,  ///< 500; it was done
  boolean_false,       ///< not done; 200 with {"boolean":false} where there is a boolean
  standby,             ///< not done: StandbyException
  safe_mode,           ///< not done: SafeModeException
  dead_data_node,      ///< the name node sends to a data node that is gone
  redirected,          ///< not done: 307 to where it came from, without a body
};

/// All faults but `none`.
const std::vector<HdfsFault>& all_hdfs_faults();
std::string_view name_of(HdfsFault fault);

/// A request as what chooses its fault sees it.
struct HdfsSeen {
  std::string method;
  std::string op;
  std::string path;
  bool at_name_node = false;
};

/// Name nodes and data nodes, as a WebHDFS client meets them: the network and what is behind it.
/// Files are kept in `files`, under the paths that they have in HDFS; each request is done as a
/// whole, and durable when it is answered. Names behave as those of the real thing (Hadoop 3.4):
/// MKDIRS makes what is missing, RENAME without options moves into a folder, a body that breaks off
/// leaves a short file. Thread-safe.
class SimHdfs final : public StoreTransport {
 public:
  /// `files` outlives it, and tells identities that end in a number.
  explicit SimHdfs(FileSystem& files);

  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override;
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override;
  std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) override;
  void pause(Duration duration) override;

  // ---- what a test sets, before or between calls

  /// Name nodes by the URLs that they answer under; the first one is active.
  void set_name_nodes(std::vector<std::string> urls);
  void set_data_nodes(std::vector<std::string> urls);
  void activate(std::size_t name_node) { active_ = name_node; }
  /// Nothing answers there.
  void stop(const std::string& url) { stopped_.insert(url); }
  void start_again(const std::string& url) { stopped_.erase(url); }
  /// Request `number`, counted from 1, has this fault, and the `count - 1` after it.
  void fail_request(std::uint64_t number, HdfsFault fault, std::uint64_t count = 1);
  /// Each request has a fault with a chance of one in `one_in`. The tape outlives this.
  void draw_faults(Tape& tape, std::uint64_t one_in);
  /// Each request has the fault that this says.
  void choose_faults(std::function<HdfsFault(const HdfsSeen&)> choose) {
    choose_fault_ = std::move(choose);
  }
  /// All requests get this answer.
  void answer_all(std::optional<HttpResponse> answer) { fixed_answer_ = std::move(answer); }
  /// Entries of one page of LISTSTATUS_BATCH; 0: an old server, which does not know it.
  void set_page_entries(std::size_t count) { page_entries_ = count; }
  /// An old server knows no `renameoptions`.
  void set_knows_rename_options(bool knows) { knows_rename_options_ = knows; }
  /// A server between the two answers without `fileId`.
  void set_tells_file_ids(bool tells) { tells_file_ids_ = tells; }
  /// A body is refused, or found to be cut, once so much of it is sent.
  void set_queued_bytes(std::size_t bytes) { queued_bytes_ = bytes; }
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  void put_file(const std::string& path, std::string_view bytes);
  void put_folder(const std::string& path);

  // ---- what a test looks at

  std::uint64_t requests() const { return requests_; }
  /// `METHOD OP path` of each request.
  const std::vector<std::string>& told() const { return told_; }
  const std::vector<std::string>& urls() const { return urls_; }
  /// Paths and bytes of all files, also of those that are not closed.
  std::map<std::string, std::string> files() const;
  bool has_folder(const std::string& path) const;
  std::uint64_t read_bytes() const { return read_bytes_; }
  std::vector<Duration> pauses() const { return pauses_; }

 private:
  class SimUpload;
  struct Call {
    std::string method = {};
    std::string server = {};
    std::string path = {};
    std::map<std::string, std::string> query = {};
    std::string of(const std::string& key) const;
  };

  static Call parse(const HttpRequest& request);
  HdfsFault note(const Call& call, const HttpRequest& request);
  Result<HttpResponse> serve(const HttpRequest& request);
  Result<HttpResponse> serve(const Call& call, const std::string& body, HdfsFault fault);
  HttpResponse act(const Call& call, const std::string& body);
  HttpResponse at_name_node(const Call& call);
  HttpResponse at_data_node(const Call& call, const std::string& body);
  HttpResponse redirect(const Call& call);
  HttpResponse file_status(const Call& call);
  HttpResponse list(const Call& call);
  HttpResponse make_folders(const Call& call);
  HttpResponse rename(const Call& call);
  HttpResponse remove(const Call& call);
  HttpResponse read(const Call& call);
  /// Nothing if a file may be created there.
  std::optional<HttpResponse> refuse_create(const Call& call) const;
  HttpResponse finish_create(const Call& call, const std::string& body);
  bool is_up(const std::string& url) const;
  bool is_name_node(const std::string& url) const;
  std::optional<FileStatus> look(const std::string& path) const;
  bool is_there(const std::string& path) const { return look(path).has_value(); }
  bool is_folder(const std::string& path) const;
  std::string bytes_of(const std::string& path) const;
  void write(const std::string& path, std::string_view bytes);
  void forget(const std::string& path);

  FileSystem& files_;
  // guarded by mutex_ once the client runs
  mutable std::mutex mutex_;
  std::map<std::string, int> looks_until_closed_;  ///< by identity
  std::vector<std::string> name_nodes_;
  std::vector<std::string> data_nodes_;
  std::size_t active_ = 0;
  std::size_t next_data_node_ = 0;
  std::set<std::string> stopped_;
  std::map<std::uint64_t, HdfsFault> faults_;
  std::function<HdfsFault(const HdfsSeen&)> choose_fault_;
  std::optional<HttpResponse> fixed_answer_;
  std::size_t page_entries_ = 1000;
  bool knows_rename_options_ = true;
  bool tells_file_ids_ = true;
  std::size_t queued_bytes_ = std::size_t{1} << 20U;
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t requests_ = 0;
  std::uint64_t read_bytes_ = 0;
  std::vector<std::string> told_;
  std::vector<std::string> urls_;
  std::vector<Duration> pauses_;
};

}  // namespace streamrun::sim
