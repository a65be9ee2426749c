#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/snapshot_reader.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;

/// A store with a publish of its own: the bytes appear at once, and then the answer is an error.
class DoubtfulStore final : public FileSystem {
 public:
  Result<FileStatus> status(const std::string& path) override { return memory.status(path); }
  Result<std::vector<FileStatus>> list(const std::string& path) override {
    return memory.list(path);
  }
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    return memory.open(path);
  }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override {
    return memory.open_no_follow(path);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    return memory.create(path);
  }
  Result<bool> create_directory(const std::string& path) override {
    return memory.create_directory(path);
  }
  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override {
    return memory.rename_no_replace(from, to);
  }
  Result<bool> remove_file(const std::string& path) override {
    if (remove_fails) return error();
    return memory.remove_file(path);
  }
  Result<bool> remove_directory(const std::string& path) override {
    return memory.remove_directory(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    calls.push_back("sync " + base_name(path));
    if (published && sync_fails) return error();
    return memory.sync_directory(path);
  }
  Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                           std::string_view note) override {
    return memory.lock(path, note);
  }
  Result<std::optional<std::string>> lock_holder(const std::string& path) override {
    return memory.lock_holder(path);
  }
  Result<bool> publish(const std::string& directory, const std::string& name,
                       std::string_view bytes, const std::string&) override {
    calls.push_back("publish " + name);
    published = true;
    test::write_file(memory, join_path(directory, name), std::string(bytes));
    return error();
  }
  static Error error() { return {.code = ErrorCode::store_io, .message = "no answer"}; }

  MemoryFileSystem memory;
  std::vector<std::string> calls;
  bool published = false;
  bool remove_fails = false;
  bool sync_fails = false;
};

const std::string kFolder = "/ckpt/chk-3";

Result<void> publish_into(DoubtfulStore& store) {
  must(store.memory.create_directories(kFolder));
  must(store.memory.create_directories("/ckpt/shared"));
  return publish_snapshot(store, kFolder, {"/ckpt/shared"}, test::sample_metadata(3));
}

TEST_CASE("publish: names are durable before the metadata appears", "[checkpoint]") {
  DoubtfulStore store;
  REQUIRE(!publish_into(store));
  REQUIRE(store.calls.size() >= 3);
  CHECK(store.calls[0] == "sync chk-3");
  CHECK(store.calls[1] == "sync shared");
  CHECK(store.calls[2] == "publish _metadata");
}

TEST_CASE("publish: metadata that appeared without an answer is withdrawn, durably",
          "[checkpoint]") {
  DoubtfulStore store;
  const Result<void> published = publish_into(store);
  REQUIRE(!published);
  CHECK(published.error().code == ErrorCode::store_io);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    test::SeededRandom random(seed);
    store.memory.power_cut(random);
    CHECK(!read_snapshot(store.memory, kFolder));
  }
}

TEST_CASE("publish: metadata that can't be withdrawn is fatal", "[checkpoint]") {
  DoubtfulStore no_remove;
  no_remove.remove_fails = true;
  CHECK(publish_into(no_remove).error().code == ErrorCode::store_fatal);
  DoubtfulStore no_sync;
  no_sync.sync_fails = true;
  const Error error = publish_into(no_sync).error();
  CHECK(error.code == ErrorCode::store_fatal);
  CHECK(error.retry == Retry::no);
}

}  // namespace
}  // namespace streamrun
