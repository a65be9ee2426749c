#include <streamrun/storage/file_systems.h>
#include <streamrun/storage/local_file_system.h>

#include <memory>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "sim/memory_file_system.h"
#include "test_stores.h"

namespace streamrun {
namespace {

TEST_CASE("location: a path or URI is taken apart", "[storage]") {
  const auto [text, scheme, path] = GENERATE(table<std::string, std::string, std::string>({
      {"/data", "file", "/data"},
      {"data/in", "file", "/home/data/in"},
      {".", "file", "/home"},
      {"file:///data/", "file", "/data"},
      {"file:/data", "file", "/data"},
      {"FILE://localhost/data", "file", "/data"},
      {"file:///with%20blank/%C3%A9", "file", "/with blank/\u00e9"},
      {"file:///a/%2e%2e/b", "file", "/b"},
      {"/with%20blank", "file", "/with%20blank"},
      {"hdfs://nn:8020/ckpt", "hdfs", "hdfs://nn:8020/ckpt"},
      {"S3://bucket/key", "s3", "S3://bucket/key"},
      {"http://host/x", "http", "http://host/x"},
      {"a:b", "file", "/home/a:b"},
      {"12:/x", "file", "/home/12:/x"},
      {"/a/hdfs://x", "file", "/a/hdfs:/x"},
  }));
  const Location location = parse_location(text, "/home").value();
  CHECK(location.scheme == scheme);
  CHECK(location.path == path);
}

TEST_CASE("location: what can't be read is E-PATH with the text", "[storage]") {
  const std::string text =
      GENERATE(std::string(), std::string("/a\0b", 4), "file://host/data", "file://", "file://host",
               "file:data", "file:", "file:///a%", "file:///a%2", "file:///a%zz", "file:///a%00b");
  const Result<Location> location = parse_location(text, "/home");
  REQUIRE_FALSE(location);
  CHECK(location.error().code == ErrorCode::path);
  CHECK(location.error().where == text.substr(0, text.find('\0')));
  CHECK_FALSE(location.error().why.empty());
}

TEST_CASE("file systems: an unknown scheme names the known ones", "[storage]") {
  FileSystems stores;
  stores.add("file", make_local_file_system());
  stores.add("mem", make_local_file_system());
  CHECK(stores.of_scheme("file").value() != nullptr);
  const Result<FileSystem*> unknown = stores.of_scheme("hdfs");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().headline() ==
        "E-USAGE: this version has no file system for hdfs://, only for file://, mem://");
}

TEST_CASE("file systems: as one, a path goes to the store of its scheme", "[storage]") {
  FileSystems stores;
  auto other = std::make_unique<sim::MemoryFileSystem>();
  sim::MemoryFileSystem& memory = *other;
  stores.add("mem", std::move(other));
  stores.add("file", make_local_file_system());
  const TemporaryFolder folder;
  write_file(stores, folder.path("a"), "local");
  CHECK(stores.read_all(folder.path("a"), 100).value() == "local");
  CHECK(stores.list(folder.path()).value().size() == 1);
  // The memory takes such a path for one below its root.
  CHECK_FALSE(stores.exists("mem://x/a").value());
  CHECK(memory.steps() == 0);
  const Result<bool> renamed = stores.rename_no_replace(folder.path("a"), "mem://x/a");
  REQUIRE_FALSE(renamed);
  CHECK(renamed.error().code == ErrorCode::usage);
  CHECK_FALSE(stores.link(folder.path("a"), "mem://x/a").value());
  CHECK(stores.status("hdfs://nn/a").error().code == ErrorCode::usage);
  CHECK(is_local_path(folder.path()));
  CHECK_FALSE(is_local_path("mem://x/a"));
}

TEST_CASE("file systems: a store is made when it is first asked for, and again after an error",
          "[storage]") {
  FileSystems stores;
  int asked = 0;
  stores.add({"mem", "memory"}, [&asked]() -> Result<std::unique_ptr<FileSystem>> {
    if (++asked == 1) return Error{.code = ErrorCode::config, .message = "not yet"};
    return std::unique_ptr<FileSystem>(std::make_unique<sim::MemoryFileSystem>());
  });
  CHECK(asked == 0);
  CHECK(stores.place("mem://x/a", "/").error().code == ErrorCode::config);
  const Place place = stores.place("mem://x/a", "/").value();
  CHECK(place.path == "mem://x/a");
  CHECK(stores.of_scheme("memory").value() == place.store);
  CHECK(asked == 2);
}

}  // namespace
}  // namespace streamrun
