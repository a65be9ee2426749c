#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "test_stores.h"

// The contract of `FileSystem`: each fact holds for every store.

namespace streamrun {
namespace {

TestStore any_store() {
  return TestStore(GENERATE(StoreKind::local, StoreKind::memory));
}

constexpr std::uint64_t kNoLimit = 1U << 30U;

std::vector<std::string> names_in(const TestStore& store, const std::string& directory) {
  std::vector<std::string> names;
  const std::vector<FileStatus> found = store->list(directory).value();
  for (const FileStatus& status : found) names.push_back(base_name(status.path));
  return names;
}

TEST_CASE("file system: reads back what was written", "[storage]") {
  const TestStore store = any_store();
  std::string bytes;
  for (int i = 0; i < 3'000'000; ++i) bytes += static_cast<char>(i * 7 + i / 1000);
  const std::unique_ptr<WritableFile> file = store->create(store.path("f")).value();
  CHECK(file->append(bytes.substr(0, 10)));
  CHECK(file->append(""));
  CHECK(file->append(bytes.substr(10)));
  CHECK(file->sync());
  CHECK(file->close());
  const bool same = store->read_all(store.path("f"), kNoLimit).value() == bytes;
  CHECK(same);
}

TEST_CASE("file system: reads at any offset, and less only at the end", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "0123456789");
  const std::unique_ptr<ReadableFile> file = store->open(store.path("f")).value();
  CHECK(file->size() == 10);
  std::string into(4, '\0');
  CHECK(file->read_at(3, into.data(), 4).value() == 4);
  CHECK(into == "3456");
  CHECK(file->read_at(8, into.data(), 4).value() == 2);
  CHECK(into == "8956");
  CHECK(file->read_at(10, into.data(), 4).value() == 0);
  CHECK(file->read_at(11, into.data(), 4).value() == 0);
}

TEST_CASE("file system: an empty file is a file", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("empty"), "");
  CHECK(store->status(store.path("empty")).value().size == 0);
  CHECK(store->read_all(store.path("empty"), 0).value().empty());
}

TEST_CASE("file system: read_all refuses a file above its limit", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "12345");
  CHECK(store->read_all(store.path("f"), 5).value() == "12345");
  CHECK(store->read_all(store.path("f"), 4).error().code == ErrorCode::metadata_limit);
}

TEST_CASE("file system: what is not there is E-PATH with the path", "[storage]") {
  const TestStore store = any_store();
  const std::string path = store.path("missing");
  for (const Error& error :
       {store->status(path).error(), store->open(path).error(), store->list(path).error(),
        store->create(path + "/f").error(), store->create_directory(path + "/d").error(),
        store->sync_directory(path).error(), store->open_no_follow(path).error()}) {
    CHECK(error.code == ErrorCode::path);
    CHECK_THAT(error.where, Catch::StartsWith(path));
  }
  CHECK(store->rename_no_replace(path, store.path("x")).error().code == ErrorCode::path);
  CHECK_FALSE(store->exists(path).value());
  CHECK_FALSE(store->remove_file(path).value());
  CHECK_FALSE(store->remove_directory(path).value());
}

TEST_CASE("file system: a path through a file leads nowhere", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "x");
  CHECK_FALSE(store->exists(store.path("f/g")).value());
  CHECK(store->create(store.path("f/g")).error().code == ErrorCode::path);
  CHECK(store->list(store.path("f")).error().code == ErrorCode::path);
}

TEST_CASE("file system: status tells what a name is", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "12345");
  write_file(*store.files, store.path("g"), "12345");
  const FileStatus file = store->status(store.path("f")).value();
  CHECK(file.path == store.path("f"));
  CHECK(file.kind == FileKind::file);
  CHECK(file.size == 5);
  CHECK_FALSE(file.is_link);
  CHECK(file.identity == store->status(store.path("f")).value().identity);
  CHECK(file.identity != store->status(store.path("g")).value().identity);
  CHECK(store->status(store.root).value().kind == FileKind::directory);
}

TEST_CASE("file system: a listing is sorted by name", "[storage]") {
  const TestStore store = any_store();
  for (const char* name : {"b", "a", "chk-10", "chk-9", ".hidden"})
    write_file(*store.files, store.path(name), "x");
  CHECK(store->create_directory(store.path("dir")).value());
  CHECK(names_in(store, store.root) ==
        std::vector<std::string>{".hidden", "a", "b", "chk-10", "chk-9", "dir"});
  const std::vector<FileStatus> all = store->list(store.root).value();
  CHECK(all.back().kind == FileKind::directory);
  CHECK(all.back().path == store.path("dir"));
  CHECK(all.front().size == 1);
}

TEST_CASE("file system: create takes no name that is taken", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "first");
  CHECK_FALSE(store->create(store.path("f")));
  CHECK_FALSE(store->create(store.root));
  CHECK(store->read_all(store.path("f"), kNoLimit).value() == "first");
}

TEST_CASE("file system: a file that is being written is seen, without a promise", "[storage]") {
  const TestStore store = any_store();
  {
    const std::unique_ptr<WritableFile> file = store->create(store.path("f")).value();
    CHECK(file->append("abc"));
    CHECK(store->read_all(store.path("f"), kNoLimit).value() == "abc");
  }
  CHECK(store->exists(store.path("f")).value());
}

TEST_CASE("file system: a folder is opened as no file", "[storage]") {
  const TestStore store = any_store();
  CHECK(store->open(store.root).error().code == ErrorCode::store_io);
  CHECK(store->open_no_follow(store.root).error().code == ErrorCode::store_io);
}

TEST_CASE("file system: create_directory says whether it did", "[storage]") {
  const TestStore store = any_store();
  CHECK(store->create_directory(store.path("d")).value());
  CHECK_FALSE(store->create_directory(store.path("d")).value());
  write_file(*store.files, store.path("f"), "x");
  CHECK(store->create_directory(store.path("f")).error().code == ErrorCode::path);
}

TEST_CASE("file system: create_directories makes what is missing of a path", "[storage]") {
  const TestStore store = any_store();
  CHECK(store->create_directories(store.path("a/b/c")));
  CHECK(store->create_directories(store.path("a/b/c")));
  CHECK(store->create_directories(store.path("a/b/d/")));
  CHECK(store->create_directories("/"));
  CHECK(names_in(store, store.path("a/b")) == std::vector<std::string>{"c", "d"});
  write_file(*store.files, store.path("a/f"), "x");
  CHECK(store->create_directories(store.path("a/f")).error().code == ErrorCode::path);
  CHECK(store->create_directories(store.path("a/f/g")).error().code == ErrorCode::path);
}

TEST_CASE("file system: a rename never replaces", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "f");
  write_file(*store.files, store.path("g"), "g");
  CHECK_FALSE(store->rename_no_replace(store.path("f"), store.path("g")).value());
  CHECK(store->read_all(store.path("f"), kNoLimit).value() == "f");
  CHECK(store->read_all(store.path("g"), kNoLimit).value() == "g");
}

TEST_CASE("file system: a rename moves a file, also to another folder", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "f");
  CHECK(store->create_directory(store.path("d")).value());
  CHECK(store->rename_no_replace(store.path("f"), store.path("d/g")).value());
  CHECK_FALSE(store->exists(store.path("f")).value());
  CHECK(store->read_all(store.path("d/g"), kNoLimit).value() == "f");
}

TEST_CASE("file system: removes files and empty folders, each only as what it is", "[storage]") {
  const TestStore store = any_store();
  CHECK(store->create_directory(store.path("d")).value());
  write_file(*store.files, store.path("d/f"), "x");
  CHECK_FALSE(store->remove_directory(store.path("d")).value());
  CHECK_FALSE(store->remove_file(store.path("d")));
  CHECK_FALSE(store->remove_directory(store.path("d/f")));
  CHECK(store->remove_file(store.path("d/f")).value());
  CHECK(store->remove_directory(store.path("d")).value());
  CHECK(names_in(store, store.root).empty());
}

TEST_CASE("file system: an open file can be read after its removal", "[storage]") {
  const TestStore store = any_store();
  write_file(*store.files, store.path("f"), "abc");
  const std::unique_ptr<ReadableFile> file = store->open(store.path("f")).value();
  CHECK(store->remove_file(store.path("f")).value());
  std::string into(3, '\0');
  CHECK(file->read_at(0, into.data(), 3).value() == 3);
  CHECK(into == "abc");
}

TEST_CASE("file system: a lock has one holder, whom the others are told", "[storage]") {
  const TestStore store = any_store();
  const std::string path = store.path(".lock");
  std::unique_ptr<FolderLock> lock = store->lock(path, "4711 host since noon").value();
  const Result<std::unique_ptr<FolderLock>> second = store->lock(path, "4712 host since one");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::lock);
  CHECK(second.error().where == path);
  CHECK_THAT(second.error().message, Catch::Contains("4711 host since noon"));
  CHECK(store->read_all(path, kNoLimit).value() == "4711 host since noon");
  CHECK(store->lock_holder(path).value() == "4711 host since noon");

  lock.reset();
  CHECK(store->lock_holder(path).value() == std::nullopt);
  CHECK(store->read_all(path, kNoLimit).value() == "4711 host since noon");
  CHECK(store->lock_holder(store.path("none")).value() == std::nullopt);
  CHECK_FALSE(store->exists(store.path("none")).value());
  lock = store->lock(path, "4713").value();
  CHECK(store->read_all(path, kNoLimit).value() == "4713");
  CHECK(store->lock(store.path("other"), "4714"));
}

TEST_CASE("file system: publish makes a file appear whole, once", "[storage]") {
  const TestStore store = any_store();
  CHECK(store->publish(store.root, "_metadata", "first", "a1").value());
  CHECK_FALSE(store->publish(store.root, "_metadata", "second", "a2").value());
  CHECK(store->read_all(store.path("_metadata"), kNoLimit).value() == "first");
  CHECK(names_in(store, store.root) == std::vector<std::string>{"_metadata"});
}

}  // namespace
}  // namespace streamrun
