#include <streamrun/storage/hdfs/hdfs_file_system.h>

#include <utility>

#include "sim/prefixed_file_system.h"
#include "sim/remote_store.h"
#include "sim/sim_hdfs.h"

namespace streamrun::sim {
namespace {

bool may_fail(const StorageFaults& faults, const HdfsSeen& seen) {
  if (seen.op == "RENAME") return faults.may_fail("rename", seen.path);
  if (seen.op == "DELETE") return faults.may_fail("remove_file", seen.path);
  if (seen.op == "MKDIRS") return faults.may_fail("sync_directory", seen.path);
  return faults.may_fail_to_write(seen.path);
}

/// The client of a person who takes a rename that was not done for one that was.
class CredulousTransport final : public StoreTransport {
 public:
  explicit CredulousTransport(StoreTransport& servers) : servers_(servers) {}
  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override {
    Result<HttpResponse> response = servers_.exchange(request, timeout);
    const bool is_rename = request.url.find("?op=RENAME") != std::string::npos;
    if (is_rename && response && response->body == R"({"boolean":false})")
      return HttpResponse{.status = 200, .headers = {}, .body = {}};
    return response;
  }
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override {
    return servers_.start(std::move(request), timeout);
  }
  std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) override {
    return servers_.upload(std::move(request), timeout);
  }
  void pause(Duration duration) override { servers_.pause(duration); }

 private:
  StoreTransport& servers_;
};

class RemoteHdfs final : public RemoteStore {
 public:
  RemoteHdfs(const ServerWorld& world, const SimOptions& options)
      : tape_(world.tape),
        mutant_(world.mutant),
        options_(options),
        disk_(world.store, world.oracle, no_faults_, world.tape, world.trace, Mutant::none),
        hdfs_(disk_),
        credulous_(hdfs_) {
    no_faults_.pause = [] {};
    hdfs_.set_knows_rename_options(!options.old_server);
    hdfs_.set_page_entries(options.page_entries);
    hdfs_.set_queued_bytes(200);
  }

  StoreTransport& servers() override {
    if (mutant_ == Mutant::accepts_failed_renames) return credulous_;
    return hdfs_;
  }
  void set_faults(StorageFaults* faults) override {
    if (faults == nullptr) return hdfs_.choose_faults({});
    hdfs_.choose_faults([this, faults](const HdfsSeen& seen) { return choose(*faults, seen); });
  }
  std::unique_ptr<FileSystem> make_client(const ClientWorld& world) override {
    HdfsSettings settings{.user = "sim"};
    settings.attempts = options_.attempts;
    settings.first_patience = settings.patience =
        std::chrono::milliseconds(10) * (options_.attempts - 1);
    settings.first_backoff = std::chrono::milliseconds(1);
    settings.most_backoff = std::chrono::milliseconds(20);
    if (options_.in_pieces) {
      settings.small_file_bytes = 100;
      settings.kept_bytes = 1000;
    }
    return with_prefix(
        make_hdfs_file_system(std::move(settings), world.network, world.random, world.processes),
        "hdfs://nn:8020");
  }

 private:
  HdfsFault choose(StorageFaults& faults, const HdfsSeen& seen) {
    const bool is_read = seen.method == "GET";
    const std::uint64_t one_in = is_read ? faults.read_error_one_in : faults.write_error_one_in;
    if (!is_read && !may_fail(faults, seen)) return HdfsFault::none;
    if (!tape_.one_in(one_in)) return HdfsFault::none;
    ++(is_read ? faults.read_errors : faults.write_errors);
    return all_hdfs_faults()[tape_.below(all_hdfs_faults().size())];
  }

  Tape& tape_;
  const Mutant mutant_;
  const SimOptions& options_;
  StorageFaults no_faults_;
  SimFileSystem disk_;
  SimHdfs hdfs_;
  CredulousTransport credulous_;
};

}  // namespace

std::unique_ptr<RemoteStore> make_remote_hdfs(const ServerWorld& world, const SimOptions& options) {
  return std::make_unique<RemoteHdfs>(world, options);
}

}  // namespace streamrun::sim
