#include <streamrun/storage/file_systems.h>
#include <streamrun/storage/local_file_system.h>

#include <string>

#include <catch2/catch.hpp>

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

}  // namespace
}  // namespace streamrun
