#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/resolve_snapshot.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/storage/local_file_system.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;

/// A job's folder with chk-1 to chk-3 complete, chk-4 unfinished.
class Store {
 public:
  explicit Store(FileSystem& files_to_use, const std::string& root) : files(files_to_use) {
    directory =
        must(CheckpointDirectory::open(files, root, test::owner_of(test::sample_metadata(1))));
    job = directory->path();
    for (CheckpointId id = 1; id <= 3; ++id)
      test::publish_with_file(files, *directory, id, 1000 * id);
    if (!must(directory->begin(4))) throw std::runtime_error("taken");
  }
  std::string chk(CheckpointId id) const { return directory->checkpoint_path(id); }
  std::string state(CheckpointId id) const {
    return chk(id) + "/" + test::uuid_of(static_cast<std::uint64_t>(id));
  }
  Error error(const std::string& where) {
    const auto resolved = resolve_snapshot(files, where);
    return resolved ? Error{.code = ErrorCode::bug, .message = "no error"} : resolved.error();
  }
  FileSystem& files;
  std::unique_ptr<CheckpointDirectory> directory;
  std::string job;
};

struct Memory {
  MemoryFileSystem memory;
};

class MemoryStore : public Memory, public Store {
 public:
  MemoryStore() : Store(memory, "/ckpt") {}
};

/// On the local disk, for what a memory store does not have.
class LocalStore {
 public:
  LocalStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "resolve-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path = std::filesystem::canonical(pattern).string();
  }
  ~LocalStore() { std::filesystem::remove_all(path); }
  LocalStore(const LocalStore&) = delete;
  LocalStore& operator=(const LocalStore&) = delete;
  std::unique_ptr<FileSystem> files = make_local_file_system();
  std::string path;
};

TEST_CASE("resolve: a folder, its metadata, a copy of that, and a job's folder are accepted",
          "[checkpoint]") {
  MemoryStore store;
  CHECK(must(resolve_snapshot(store.memory, store.chk(2))).metadata.id == 2);
  CHECK(must(resolve_snapshot(store.memory, store.chk(2) + "/")).directory == store.chk(2));
  CHECK(must(resolve_snapshot(store.memory, store.chk(2) + "/_metadata")).directory ==
        store.chk(2));
  CHECK(must(resolve_snapshot(store.memory, store.job)).metadata.id == 3);
  test::write_file(store.memory, store.chk(2) + "/copy",
                   must(store.memory.read_all(store.chk(2) + "/_metadata", 1 << 20)));
  const ResolvedSnapshot copy = must(resolve_snapshot(store.memory, store.chk(2) + "/copy"));
  CHECK(copy.directory == store.chk(2));
  CHECK(copy.full_bytes > 0);
  CHECK(copy.metadata_bytes > 1000);
}

TEST_CASE("resolve: what is not there is E-PATH and names what is", "[checkpoint]") {
  MemoryStore store;
  CHECK(store.error("/nowhere").code == ErrorCode::path);
  const Error error = store.error(store.chk(9));
  CHECK(error.code == ErrorCode::path);
  CHECK(error.tries.at(0) == "streamrun run -s " + store.chk(3));
}

TEST_CASE("resolve: an unfinished one is E-META-MISSING and names complete ones, newest first",
          "[checkpoint]") {
  MemoryStore store;
  const Error error = store.error(store.chk(4));
  CHECK(error.code == ErrorCode::metadata_missing);
  CHECK(error.headline() == "E-META-MISSING: chk-4 was never completed (" + store.chk(4) + ")");
  CHECK(error.tries == std::vector<std::string>{"streamrun run -s " + store.chk(3),
                                                "streamrun run -s " + store.chk(2),
                                                "streamrun run -s " + store.chk(1)});
}

TEST_CASE("resolve: a job's folder with nothing complete is E-META-MISSING", "[checkpoint]") {
  MemoryStore store;
  for (CheckpointId id = 1; id <= 3; ++id) REQUIRE(must(store.directory->remove(id)));
  CHECK(store.error(store.job).code == ErrorCode::metadata_missing);
}

TEST_CASE("resolve: in a job's folder a damaged newest one is an error, not skipped",
          "[checkpoint]") {
  MemoryStore store;
  REQUIRE(store.memory.flip_bit(store.chk(3) + "/_metadata", 400, 1));
  const Error error = store.error(store.job);
  CHECK(error.code == ErrorCode::metadata_corrupt);
  CHECK(error.tries.at(0) == "streamrun run -s " + store.chk(2));
}

TEST_CASE("resolve: a chk folder that holds another id is E-META-CORRUPT", "[checkpoint]") {
  MemoryStore store;
  const std::string bytes = must(store.memory.read_all(store.chk(2) + "/_metadata", 1 << 20));
  test::write_file(store.memory, store.chk(4) + "/_metadata", bytes);
  CHECK(store.error(store.chk(4)).code == ErrorCode::metadata_corrupt);
  must(store.memory.create_directories(store.job + "/any-other-name"));
  test::write_file(store.memory, store.job + "/any-other-name/_metadata", bytes);
  CHECK(must(resolve_snapshot(store.memory, store.job + "/any-other-name")).metadata.id == 2);
}

TEST_CASE("resolve: an empty metadata file is E-META-CORRUPT", "[checkpoint]") {
  MemoryStore store;
  test::write_file(store.memory, store.chk(4) + "/_metadata", "");
  CHECK(store.error(store.chk(4)).code == ErrorCode::metadata_corrupt);
}

TEST_CASE("resolve: a metadata file that is a link or a folder is E-META-CORRUPT", "[checkpoint]") {
  LocalStore local;
  Store store(*local.files, local.path);
  std::filesystem::create_symlink(store.chk(2) + "/_metadata", store.chk(4) + "/_metadata");
  CHECK(store.error(store.chk(4)).code == ErrorCode::metadata_corrupt);
  CHECK(store.error(store.chk(4) + "/_metadata").code == ErrorCode::metadata_corrupt);
  std::filesystem::create_directories(store.job + "/chk-5/_metadata");
  CHECK(store.error(store.chk(5)).code == ErrorCode::metadata_corrupt);
}

TEST_CASE("resolve: a root that is a link is followed", "[checkpoint]") {
  LocalStore local;
  std::filesystem::create_directories(local.path + "/real");
  std::filesystem::create_symlink(local.path + "/real", local.path + "/link");
  Store store(*local.files, local.path + "/link");
  CHECK(must(resolve_snapshot(*local.files, store.chk(3))).metadata.id == 3);
}

TEST_CASE("resolve: the fall-back takes the newest good one and says so", "[checkpoint]") {
  MemoryStore store;
  const auto untouched = must(resolve_with_fallback(store.memory, store.chk(2), true));
  CHECK(untouched.metadata.id == 2);
  CHECK(untouched.warning.empty());
  REQUIRE(store.memory.flip_bit(store.state(3), 0, 0));
  const auto presence = must(resolve_with_fallback(store.memory, store.chk(3), false));
  CHECK(presence.metadata.id == 3);  // the length is right
  const auto other = must(resolve_with_fallback(store.memory, store.chk(3), true));
  CHECK(other.metadata.id == 2);
  CHECK(other.warning.find("E-STATE-CORRUPT") != std::string::npos);
  CHECK(must(resolve_with_fallback(store.memory, store.chk(4), true)).metadata.id == 2);
}

/// Does not answer one of the looks at it.
class Away final : public FileSystem {
 public:
  Away(FileSystem& files, int from_now) : files_(files), left_(from_now) {}

  Result<FileStatus> status(const std::string& p) override { return ask(&FileSystem::status, p); }
  Result<std::vector<FileStatus>> list(const std::string& p) override {
    return ask(&FileSystem::list, p);
  }
  Result<std::unique_ptr<ReadableFile>> open(const std::string& p) override {
    return ask(&FileSystem::open, p);
  }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& p) override {
    return ask(&FileSystem::open_no_follow, p);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string&) override { return no(); }
  Result<bool> create_directory(const std::string&) override { return no(); }
  Result<bool> rename_no_replace(const std::string&, const std::string&) override { return no(); }
  Result<bool> remove_file(const std::string&) override { return no(); }
  Result<bool> remove_directory(const std::string&) override { return no(); }
  Result<void> sync_directory(const std::string&) override { return no(); }
  Result<std::unique_ptr<FolderLock>> lock(const std::string&, std::string_view) override {
    return no();
  }
  Result<std::optional<std::string>> lock_holder(const std::string&) override { return no(); }

 private:
  static Error no() { return {.code = ErrorCode::unavailable, .message = "no answer"}; }
  template <typename T>
  Result<T> ask(Result<T> (FileSystem::*what)(const std::string&), const std::string& path) {
    if (--left_ == 0) return no();
    return (files_.*what)(path);
  }

  FileSystem& files_;
  int left_;
};

TEST_CASE("resolve: a store that does not answer is no reason to take an older one",
          "[checkpoint]") {
  MemoryStore store;
  int unanswered = 0;
  for (int from_now = 1; from_now <= 40; ++from_now) {
    INFO("look " << from_now);
    Away one(store.memory, from_now);
    const auto found = resolve_with_fallback(one, store.job, true);
    const bool is_newest = found && found->metadata.id == 3 && found->warning.empty();
    const bool says_so = !found && found.error().code == ErrorCode::unavailable;
    CHECK((is_newest || says_so));
    Away other(store.memory, from_now);
    const auto newest = newest_complete(other, {"/ckpt"}, test::sample_metadata(1).job_name, true);
    const bool is_best = newest && newest->entry && newest->entry->id == 3;
    CHECK((is_best || (!newest && newest.error().code == ErrorCode::unavailable)));
    unanswered += static_cast<int>(says_so);
  }
  CHECK(unanswered > 3);
}

TEST_CASE("resolve: the fall-back without a good one gives the first error", "[checkpoint]") {
  MemoryStore store;
  for (CheckpointId id = 1; id <= 3; ++id) REQUIRE(must(store.memory.remove_file(store.state(id))));
  const auto other = resolve_with_fallback(store.memory, store.chk(3), false);
  REQUIRE(!other);
  CHECK(other.error().code == ErrorCode::state_missing);
  CHECK(other.error().where == store.state(3));
  CHECK(resolve_with_fallback(store.memory, "/nowhere", false).error().code == ErrorCode::path);
}

class Verify {
 public:
  explicit Verify(const std::string& bytes) {
    must(files.create_directories("/s"));
    test::write_file(files, "/s/f", bytes);
    metadata = test::metadata_with_file(1, "f", bytes);
  }
  ErrorCode code(bool read_data) {
    const auto verified = verify_files(files, "/s", metadata, read_data);
    return verified ? ErrorCode::bug : verified.error().code;
  }
  MemoryFileSystem files;
  CheckpointMetadata metadata;
};

TEST_CASE("verify: a file that is as recorded passes", "[checkpoint]") {
  for (const std::size_t length : {0U, 1U, 1U << 20U, (1U << 20U) + 1, 3U << 20U}) {
    Verify verify(std::string(length, 'x'));
    CHECK(find_damage(verify.files, "/s", verify.metadata, true).empty());
  }
}

TEST_CASE("verify: a missing, short or long file is found without reading", "[checkpoint]") {
  Verify verify("abc");
  verify.metadata.operators[0].subtasks[1].keyed[0].pieces.front().file->path = "g";
  CHECK(verify.code(false) == ErrorCode::state_missing);
  test::write_file(verify.files, "/s/g", "ab");
  CHECK(verify.code(false) == ErrorCode::state_corrupt);
  must(verify.files.remove_file("/s/g"));
  test::write_file(verify.files, "/s/g", "abcd");
  CHECK(verify.code(false) == ErrorCode::state_corrupt);
  must(verify.files.remove_file("/s/g"));
  must(verify.files.create_directory("/s/g"));
  CHECK(verify.code(false) == ErrorCode::state_corrupt);
}

TEST_CASE("verify: a flipped bit is found by reading, with file and offset", "[checkpoint]") {
  Verify verify(std::string((2U << 20U) + 5, 'x'));
  REQUIRE(verify.files.flip_bit("/s/f", (1U << 20U) + 7, 3));
  CHECK(verify.code(false) == ErrorCode::bug);
  const auto damage = find_damage(verify.files, "/s", verify.metadata, true);
  REQUIRE(damage.size() == 1);
  CHECK(damage[0].code == ErrorCode::state_corrupt);
  CHECK(damage[0].where == "/s/f");
  CHECK(damage[0].message.find("bytes 1048576 to 2097152") != std::string::npos);
}

TEST_CASE("verify: links and pipes are no state files", "[checkpoint]") {
  LocalStore local;
  const auto metadata = test::metadata_with_file(1, "f", "abc");
  test::write_file(*local.files, local.path + "/real", "abc");
  std::filesystem::create_symlink(local.path + "/real", local.path + "/f");
  const auto linked = verify_files(*local.files, local.path, metadata, true);
  REQUIRE(!linked);
  CHECK(linked.error().code == ErrorCode::state_corrupt);
  std::filesystem::remove(local.path + "/f");
  REQUIRE(std::system(("mkfifo " + local.path + "/f").c_str()) == 0);
  const auto pipe = verify_files(*local.files, local.path, metadata, true);
  REQUIRE(!pipe);
  CHECK(pipe.error().code == ErrorCode::state_corrupt);
}

}  // namespace
}  // namespace streamrun
