#include <streamrun/storage/hdfs/hdfs_addresses.h>
#include <streamrun/storage/hdfs/hdfs_file_system.h>
#include <streamrun/storage/owner_lock.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "hdfs_namespace.h"
#include "hdfs_reader.h"
#include "hdfs_writer.h"
#include "name_nodes.h"

namespace streamrun {
namespace {

FileStatus to_file_status(const WebHdfsStatus& status, std::string path,
                          const std::string& cluster) {
  return {.path = std::move(path),
          .kind = status.kind,
          .size = status.kind == FileKind::file ? status.length : 0,
          .modified_unix_milliseconds = status.modified_unix_milliseconds,
          .is_link = status.is_link,
          .identity =
              status.file_id == 0 ? std::string() : cluster + ":" + std::to_string(status.file_id)};
}

Error not_regular(const std::string& path, const std::string& what_it_is) {
  return {.code = ErrorCode::store_io,
          .message = "not a regular file but " + what_it_is,
          .where = path,
          .retry = Retry::no};
}

class HdfsFileSystem final : public FileSystem {
 public:
  HdfsFileSystem(HdfsSettings settings, StoreTransport& transport, Random& random,
                 const ProcessTable& processes, const Clock* clock)
      : settings_(std::move(settings)),
        transport_(transport),
        random_(random),
        processes_(processes),
        clock_(clock) {}

  Result<std::string> canonical(const std::string& path) const override {
    const HdfsUri uri = SR_TRY(parse_hdfs_uri(SR_TRY(with_authority(path, settings_))));
    const std::string plain = absolute_path(uri.path, "/");
    return uri.scheme + "://" + uri.authority + (plain == "/" ? "" : plain);
  }
  Result<FileStatus> status(const std::string& path) override {
    const HdfsName name = SR_TRY(name_of(path));
    return to_file_status(SR_TRY(status_of(name)), path, cluster_of(name));
  }

  Result<std::vector<FileStatus>> list(const std::string& directory) override {
    const HdfsName name = SR_TRY(name_of(directory));
    std::vector<FileStatus> found;
    for (const WebHdfsStatus& status : SR_TRY(streamrun::list(name)))
      found.push_back(to_file_status(status, join_path(directory, status.name), cluster_of(name)));
    std::sort(found.begin(), found.end(),
              [](const FileStatus& a, const FileStatus& b) { return a.path < b.path; });
    return found;
  }

  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    return open_no_follow(path);  // HDFS has no links that would be followed
  }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override {
    const HdfsName name = SR_TRY(name_of(path));
    const WebHdfsStatus status = SR_TRY(status_of(name));
    if (status.kind == FileKind::directory) return not_regular(path, "a folder");
    if (status.kind != FileKind::file) return not_regular(path, "a symbolic link");
    return open_hdfs_file(name, status);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    return create_hdfs_file(SR_TRY(name_of(path)));
  }

  Result<bool> create_directory(const std::string& path) override {
    return streamrun::create_directory(SR_TRY(name_of(path)));
  }
  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override {
    const HdfsName source = SR_TRY(name_of(from));
    return streamrun::rename_no_replace(source, SR_TRY(name_of(to)));
  }
  Result<bool> remove_file(const std::string& path) override {
    return remove(SR_TRY(name_of(path)), FileKind::file);
  }
  Result<bool> remove_directory(const std::string& path) override {
    return remove(SR_TRY(name_of(path)), FileKind::directory);
  }
  Result<void> sync_directory(const std::string&) override {
    return {};  // the name node has written the name to its journal before it answered
  }

  Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                           std::string_view note) override {
    return lock_by_owner_file(*this, processes_, path, note);
  }
  Result<std::optional<std::string>> lock_holder(const std::string& path) override {
    return holder_of_owner_file(*this, processes_, path);
  }

 private:
  static std::string cluster_of(const HdfsName& name) {
    const Result<HdfsUri> uri = parse_hdfs_uri(name.where);
    return uri ? uri->authority : std::string();
  }

  Result<HdfsName> name_of(const std::string& path) {
    HdfsUri uri = SR_TRY(parse_hdfs_uri(path));
    NameNodes* const nodes = SR_TRY(nodes_of(uri));
    return HdfsName{.nodes = nodes, .path = std::move(uri.path), .where = path};
  }

  Result<NameNodes*> nodes_of(const HdfsUri& uri) {
    const std::string key = uri.scheme + "://" + uri.authority;
    const std::lock_guard lock(mutex_);
    const auto known = clusters_.find(key);
    if (known != clusters_.end()) return known->second.get();
    auto nodes = std::make_unique<NameNodes>(SR_TRY(name_node_addresses(uri, settings_)), settings_,
                                             transport_, random_, clock_);
    return (clusters_[key] = std::move(nodes)).get();
  }

  const HdfsSettings settings_;
  StoreTransport& transport_;
  Random& random_;
  const ProcessTable& processes_;
  const Clock* const clock_;
  // guarded by mutex_
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<NameNodes>> clusters_;  ///< by scheme and authority
};

}  // namespace

std::unique_ptr<FileSystem> make_hdfs_file_system(HdfsSettings settings, StoreTransport& transport,
                                                  Random& random, const ProcessTable& processes,
                                                  const Clock* clock) {
  return std::make_unique<HdfsFileSystem>(std::move(settings), transport, random, processes, clock);
}

}  // namespace streamrun
