#include <streamrun/base/assert.h>
#include <streamrun/storage/s3/s3_file_system.h>

#include <set>
#include <utility>

#include "sim/prefixed_file_system.h"
#include "sim/remote_store.h"
#include "sim/sim_s3.h"

namespace streamrun::sim {
namespace {

constexpr const char* kHost = "s3.sim:9000";
constexpr const char* kBucket = "b";
constexpr std::uint64_t kMostObjectBytes = std::uint64_t{1} << 30U;

/// The objects of a bucket as files of a store, where an oracle can look at them. An object is
/// there at once and whole, as a file is that was renamed to its name.
class ObjectFiles {
 public:
  /// `disk` is the way to `store` that the oracle watches.
  ObjectFiles(FileSystem& disk, MemoryFileSystem& store, StoreOracle& oracle)
      : disk_(disk), store_(store), oracle_(oracle) {
    SR_ASSERT(store_.create_directory(kFolder), "an empty store takes a folder");
  }

  void changed(const std::string& key, const S3Object* object) {
    const std::string path = "/" + key;
    const bool is_marker = key.ends_with('/');
    const Result<void> done = object == nullptr ? remove(path, is_marker)
                              : is_marker       ? mark(folder_of(path))
                                                : put(path, object->bytes);
    SR_ASSERT(done, "the store behind S3 takes what S3 does");
  }

 private:
  static constexpr const char* kFolder = "/.s3";

  /// Of the name of a marker, which ends with a slash: the folder.
  static std::string folder_of(const std::string& marker) {
    return marker.substr(0, marker.size() - 1);
  }

  /// Only so is a folder made that was not there: others are what keys have in common.
  Result<void> mark(const std::string& folder) {
    if (markers_.insert(folder).second) oracle_.created_directory(folder);
    return store_.create_directories(folder);
  }

  Result<void> remove(const std::string& path, bool is_marker) {
    if (is_marker) {
      markers_.erase(folder_of(path));
      SR_TRY(disk_.remove_directory(folder_of(path)));
    } else {
      SR_TRY(disk_.remove_file(path));
    }
    return {};
  }

  Result<void> put(const std::string& path, const std::string& bytes) {
    const std::string folder = parent_path(path);
    SR_TRY(store_.create_directories(folder));
    if (SR_TRY(disk_.exists(path))) {
      if (SR_TRY(disk_.read_all(path, kMostObjectBytes)) == bytes) return {};
      SR_TRY(disk_.remove_file(path));
    }
    const std::string hidden = std::string(kFolder) + "/" + std::to_string(++written_);
    const std::unique_ptr<WritableFile> file = SR_TRY(disk_.create(hidden));
    SR_TRY(file->append(bytes));
    SR_TRY(file->sync());
    SR_TRY(file->close());
    SR_TRY(disk_.rename_no_replace(hidden, path));
    return disk_.sync_directory(folder);
  }

  FileSystem& disk_;
  MemoryFileSystem& store_;
  StoreOracle& oracle_;
  std::set<std::string> markers_;  // folders that have one
  std::uint64_t written_ = 0;
};

class RemoteS3 final : public RemoteStore {
 public:
  RemoteS3(const ServerWorld& world, const SimOptions& options)
      : tape_(world.tape),
        options_(options),
        disk_(world.store, world.oracle, no_faults_, world.tape, world.trace, Mutant::none),
        s3_(world.clock, credentials(), "us-east-1", kHost) {
    no_faults_.pause = [] {};
    S3Bucket& bucket = s3_.buckets[kBucket];
    for (const auto& [path, bytes] : world.store.files()) {
      bucket.objects[path.substr(1)] = {.bytes = bytes,
                                        .etag = "\"placed-" + path + '"',
                                        .metadata = {},
                                        .modified = world.clock.unix_milliseconds()};
    }
    files_.emplace(disk_, world.store, world.oracle);
    s3_.changed = [this](const std::string&, const std::string& key, const S3Object* object) {
      files_->changed(key, object);
    };
    s3_.knows_conditions = !options.old_server;
    s3_.page_keys = options.page_entries;
    s3_.least_part_bytes = 1;
  }

  StoreTransport& servers() override { return s3_; }
  void set_faults(StorageFaults* faults) override {
    s3_.fault = nullptr;
    if (faults != nullptr)
      s3_.fault = [this, faults](const S3Seen& seen) { return choose(*faults, seen); };
  }
  std::unique_ptr<FileSystem> make_client(const ClientWorld& world) override {
    S3Settings settings{.endpoint = std::string("http://") + kHost,
                        .path_style = true,
                        .credentials = credentials()};
    settings.attempts = options_.attempts;
    settings.first_pause = std::chrono::milliseconds(1);
    settings.longest_pause = std::chrono::milliseconds(20);
    settings.allow_unconditional = options_.old_server;
    if (options_.in_pieces) {
      settings.part_bytes = 200;
      settings.least_part_bytes = 1;
      settings.most_copy_bytes = 400;
      settings.copy_part_bytes = 300;
    }
    return with_prefix(make_s3_file_system(std::move(settings), world.network, world.random,
                                           world.clock, world.processes),
                       std::string("s3://") + kBucket);
  }

 private:
  static S3Credentials credentials() { return {.access_key = "AKID", .secret_key = "secret"}; }

  static bool may_fail(const StorageFaults& faults, const S3Seen& seen) {
    const std::string path = "/" + seen.key;
    if (seen.method == "DELETE") return faults.may_fail("remove_file", path);
    if (seen.headers.count("x-amz-copy-source") > 0) return faults.may_fail("rename", path);
    if (seen.key.ends_with('/')) return faults.may_fail("sync_directory", path);
    return faults.may_fail_to_write(path);
  }

  S3Fault choose(StorageFaults& faults, const S3Seen& seen) {
    const bool is_read = seen.method == "GET" || seen.method == "HEAD";
    const std::uint64_t one_in = is_read ? faults.read_error_one_in : faults.write_error_one_in;
    if (!is_read && !may_fail(faults, seen)) return S3Fault::none;
    if (!tape_.one_in(one_in)) return S3Fault::none;
    ++(is_read ? faults.read_errors : faults.write_errors);
    return tape_.pick({S3Fault::slow_down, S3Fault::lost_request, S3Fault::lost_reply,
                       S3Fault::internal_error, S3Fault::error_in_success, S3Fault::conflict,
                       S3Fault::half_body, S3Fault::html});
  }

  Tape& tape_;
  const SimOptions& options_;
  StorageFaults no_faults_;
  SimFileSystem disk_;
  SimS3 s3_;
  std::optional<ObjectFiles> files_;
};

}  // namespace

std::unique_ptr<RemoteStore> make_remote_s3(const ServerWorld& world, const SimOptions& options) {
  return std::make_unique<RemoteS3>(world, options);
}

}  // namespace streamrun::sim
