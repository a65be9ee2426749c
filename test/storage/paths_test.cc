#include <streamrun/storage/file_system.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("join_path: puts exactly one slash between", "[storage]") {
  CHECK(join_path("/a", "b") == "/a/b");
  CHECK(join_path("/a/", "b") == "/a/b");
  CHECK(join_path("/a//", "/b") == "/a/b");
  CHECK(join_path("/", "b") == "/b");
}

TEST_CASE("parent and base: take a path apart, whatever slash it ends with", "[storage]") {
  const auto [path, parent, base] = GENERATE(table<std::string, std::string, std::string>({
      {"/a/b", "/a", "b"},
      {"/a/b/", "/a", "b"},
      {"/a//b", "/a", "b"},
      {"/a", "/", "a"},
      {"/", "/", ""},
      {"a", ".", "a"},
      {"hdfs://nn/ckpt/chk-1", "hdfs://nn/ckpt", "chk-1"},
      {"hdfs://nn/ckpt", "hdfs://nn", "ckpt"},
      {"hdfs://nn/", "hdfs://nn", ""},
      {"hdfs://nn", "hdfs://nn", ""},
      {"hdfs:///ckpt/", "hdfs://", "ckpt"},
      {"/a/b://c", "/a/b:", "c"},
  }));
  CHECK(parent_path(path) == parent);
  CHECK(base_name(path) == base);
}

TEST_CASE("absolute_path: resolves dots as text", "[storage]") {
  const auto [path, expected] = GENERATE(table<std::string, std::string>({
      {"/a/./b//c/", "/a/b/c"},
      {"/a/../b", "/b"},
      {"/../..", "/"},
      {"/", "/"},
      {"data", "/work/dir/data"},
      {"./data", "/work/dir/data"},
      {"../data", "/work/data"},
      {"../../../data", "/data"},
      {".", "/work/dir"},
      {"...", "/work/dir/..."},
  }));
  CHECK(absolute_path(path, "/work/dir") == expected);
}

}  // namespace
}  // namespace streamrun
