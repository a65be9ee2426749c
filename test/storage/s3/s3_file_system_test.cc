#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "s3_world.h"

// The contract of `FileSystem` where it holds for a store without folders, and what is S3's own.

namespace streamrun {
namespace {

std::vector<std::string> names_in(FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  const std::vector<FileStatus> found = files.list(directory).value();
  for (const FileStatus& status : found) names.push_back(base_name(status.path));
  return names;
}

TEST_CASE("s3: reads back what was written, by either way to name a bucket", "[s3]") {
  S3World world;
  S3Settings settings = world.settings();
  settings.path_style = GENERATE(true, false);
  settings.credentials.session_token = "token";
  const auto files = world.make(settings);
  for (const char* path :
       {"s3://b/dir/f", "s3a://b/a b/\u00fc+=&%41~*'.txt", "s3p://b/deep/er/f"}) {
    REQUIRE(write_s3(*files, path, "0123456789"));
    CHECK(files->read_all(path, kNoLimit).value() == "0123456789");
    CHECK(files->status(path).value().size == 10);
    CHECK(names_in(*files, parent_path(path)) == std::vector<std::string>{base_name(path)});
  }
  CHECK(world.server.keys("b") ==
        std::set<std::string>{"dir/f", "a b/\u00fc+=&%41~*'.txt", "deep/er/f"});
}

TEST_CASE("s3: an empty file is a file", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/empty", ""));
  CHECK(files->status("s3://b/empty").value().size == 0);
  CHECK(files->read_all("s3://b/empty", 0).value().empty());
}

TEST_CASE("s3: each path has one spelling", "[s3]") {
  S3World world;
  const auto files = world.make();
  CHECK(files->canonical("S3A://b//a/b c/").value() == "s3://b/a/b c");
  CHECK(files->canonical("s3p://b/").value() == "s3://b");
  CHECK(files->canonical("s3://").error().code == ErrorCode::usage);
  CHECK(files->canonical("s3://b/../c").error().code == ErrorCode::path);
  CHECK(world.server.requests == 0);
}

TEST_CASE("s3: what is not there is E-PATH with the path", "[s3]") {
  S3World world;
  const auto files = world.make();
  for (const std::string path : {"s3://b/missing", "s3://b/missing/deeper", "s3://nobucket/f"}) {
    for (const Error& error : {files->status(path).error(), files->open(path).error(),
                               files->list(path).error(), files->open_no_follow(path).error(),
                               files->rename_no_replace(path, "s3://b/x").error()}) {
      CHECK(error.code == ErrorCode::path);
      CHECK(error.where == path);
    }
    CHECK_FALSE(files->exists(path).value());
    CHECK_FALSE(files->remove_file(path).value());
  }
  CHECK_FALSE(files->remove_directory("s3://b/missing").value());
}

TEST_CASE("s3: a bucket that is not there is named", "[s3]") {
  S3World world;
  const auto files = world.make();
  for (const Error& error :
       {files->status("s3://nobucket").error(), files->open("s3://nobucket/f").error(),
        files->create_directory("s3://nobucket").error(),
        files->create_directories("s3://nobucket/a/b").error(),
        write_s3(*files, "s3://nobucket/f", "x").error(), files->list("s3://nobucket/f").error()}) {
    CHECK(error.code == ErrorCode::path);
    CHECK_THAT(error.message, Catch::Contains("nobucket"));
  }
}

TEST_CASE("s3: status tells what a name is", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/d/f", "12345"));
  const FileStatus file = files->status("s3://b/d/f").value();
  CHECK(file.path == "s3://b/d/f");
  CHECK(file.kind == FileKind::file);
  CHECK(file.size == 5);
  CHECK(file.modified_unix_milliseconds == world.clock.unix_milliseconds());
  for (const char* folder : {"s3://b", "s3://b/", "s3://b/d", "s3://b/d/"})
    CHECK(files->status(folder).value().kind == FileKind::directory);
}

TEST_CASE("s3: a listing has all pages, sorted, without what lies deeper", "[s3]") {
  S3World world;
  world.server.page_keys = 2;
  const auto files = world.make();
  CHECK(files->create_directory("s3://b/r").value());
  for (const char* name :
       {"b", "a", "chk-10", "chk-9", ".hidden", "dir/deep", "dir/deeper", "dir-x"})
    REQUIRE(write_s3(*files, std::string("s3://b/r/") + name, "xyz"));
  CHECK(names_in(*files, "s3://b/r") ==
        std::vector<std::string>{".hidden", "a", "b", "chk-10", "chk-9", "dir", "dir-x"});
  const std::vector<FileStatus> found = files->list("s3://b/r/").value();
  CHECK(found[0].path == "s3://b/r/.hidden");
  CHECK(found[0].size == 3);
  CHECK(found[5].kind == FileKind::directory);
  CHECK(names_in(*files, "s3://b") == std::vector<std::string>{"r"});
}

TEST_CASE("s3: a folder is opened as no file", "[s3]") {
  S3World world;
  const auto files = world.make();
  CHECK(files->create_directory("s3://b/d").value());
  for (const char* path : {"s3://b/d", "s3://b"}) {
    CHECK(files->open(path).error().code == ErrorCode::store_io);
    CHECK_FALSE(files->remove_file(path));
  }
}

TEST_CASE("s3: create_directory says whether it did", "[s3]") {
  S3World world;
  const auto files = world.make();
  const auto others = world.make();
  CHECK(files->create_directory("s3://b/d").value());
  CHECK_FALSE(files->create_directory("s3://b/d").value());
  CHECK_FALSE(others->create_directory("s3://b/d/").value());
  CHECK_FALSE(files->create_directory("s3://b").value());
  world.place("copied/f", "x");
  CHECK_FALSE(files->create_directory("s3://b/copied").value());
  CHECK(files->create_directory("s3://b/copied/f").error().code == ErrorCode::path);
  CHECK(names_in(*files, "s3://b/d").empty());
}

TEST_CASE("s3: create_directories makes what is missing of a path", "[s3]") {
  S3World world;
  const auto files = world.make();
  CHECK(files->create_directories("s3://b/a/b/c"));
  CHECK(files->create_directories("s3://b/a/b/c"));
  CHECK(files->create_directories("s3://b/a/b/d/"));
  CHECK(files->create_directories("s3://b"));
  CHECK(names_in(*files, "s3://b/a/b") == std::vector<std::string>{"c", "d"});
  REQUIRE(write_s3(*files, "s3://b/a/f", "x"));
  CHECK(files->create_directories("s3://b/a/f").error().code == ErrorCode::path);
}

TEST_CASE("s3: a rename never replaces", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/f", "f"));
  REQUIRE(write_s3(*files, "s3://b/g", "g"));
  CHECK_FALSE(files->rename_no_replace("s3://b/f", "s3://b/g").value());
  CHECK(world.bytes("f") == "f");
  CHECK(world.bytes("g") == "g");
}

TEST_CASE("s3: a rename moves a file, also in parts", "[s3]") {
  S3World world;
  S3Settings settings = world.settings();
  if (GENERATE(false, true)) {
    settings.most_copy_bytes = 1000;
    settings.copy_part_bytes = 300;
    world.server.least_part_bytes = 300;
  }
  const auto files = world.make(settings);
  const std::string bytes = numbered_bytes(2'000);
  REQUIRE(write_s3(*files, "s3://b/a b/f+&", bytes));
  CHECK(files->rename_no_replace("s3://b/a b/f+&", "s3://b/d/g").value());
  CHECK_FALSE(files->exists("s3://b/a b/f+&").value());
  CHECK(files->read_all("s3://b/d/g", kNoLimit).value() == bytes);
  CHECK(world.server.open_uploads() == 0);
  CHECK_FALSE(files->link("s3://b/d/g", "s3://b/h").value());
}

TEST_CASE("s3: removes files and empty folders, each only as what it is", "[s3]") {
  S3World world;
  const auto files = world.make();
  CHECK(files->create_directory("s3://b/d").value());
  REQUIRE(write_s3(*files, "s3://b/d/f", "x"));
  CHECK_FALSE(files->remove_directory("s3://b/d").value());
  CHECK_FALSE(files->remove_file("s3://b/d"));
  CHECK_FALSE(files->remove_directory("s3://b/d/f"));
  CHECK(files->remove_file("s3://b/d/f").value());
  CHECK(files->remove_directory("s3://b/d").value());
  CHECK(world.server.keys("b").empty());
}

TEST_CASE("s3: a file appears at sync, and a name is taken once", "[s3]") {
  S3World world;
  const auto files = world.make();
  const std::unique_ptr<WritableFile> first = files->create("s3://b/f").value();
  const std::unique_ptr<WritableFile> second = files->create("s3://b/f").value();
  CHECK(first->append("first"));
  CHECK(second->append("second"));
  CHECK_FALSE(files->exists("s3://b/f").value());
  CHECK(first->sync());
  const Error error = second->close().error();
  CHECK(error.code == ErrorCode::store_io);
  CHECK_THAT(error.message, Catch::Contains("exists"));
  CHECK(second->sync().error().code == ErrorCode::store_io);
  const std::size_t requests = world.server.requests;
  CHECK(first->close());
  CHECK(world.server.requests == requests);
  CHECK(world.bytes("f") == "first");
  { CHECK(files->create("s3://b/never").value()->append("x")); }
  CHECK(world.server.keys("b") == std::set<std::string>{"f"});
}

TEST_CASE("s3: publish makes a file appear whole, once", "[s3]") {
  S3World world;
  const auto files = world.make();
  CHECK(files->publish("s3://b/r", "_metadata", "first", "a1").value());
  CHECK_FALSE(files->publish("s3://b/r", "_metadata", "second", "a2").value());
  CHECK(files->publish("s3://b/r", "_metadata", "first", "a1").value());
  CHECK(files->read_all("s3://b/r/_metadata", kNoLimit).value() == "first");
  CHECK(names_in(*files, "s3://b/r") == std::vector<std::string>{"_metadata"});
  CHECK(files->sync_directory("s3://b/r"));
}

TEST_CASE("s3: a lock has one holder, whom the others are told", "[s3]") {
  S3World world;
  const auto files = world.make();
  NamedProcesses other("them");
  const auto others =
      make_s3_file_system(world.settings(), world.server, world.random, world.clock, other);
  std::unique_ptr<FolderLock> lock = files->lock("s3://b/job/.lock", "4711 since noon").value();
  const Result<std::unique_ptr<FolderLock>> second = others->lock("s3://b/job/.lock", "4712");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::lock);
  CHECK_THAT(second.error().message, Catch::Contains("4711 since noon"));
  CHECK(others->lock_holder("s3://b/job/.lock").value() == "4711 since noon");
  CHECK(lock->check());
  other.dead.insert("us");
  const std::unique_ptr<FolderLock> taken = others->lock("s3://b/job/.lock", "4712").value();
  CHECK(lock->check().error().code == ErrorCode::lock);
  CHECK(taken->check());
}

TEST_CASE("s3: a store that ignores the condition is refused, unless that is allowed", "[s3]") {
  S3World world;
  if (GENERATE(true, false)) {
    world.server.enforces_conditions = false;
  } else {
    world.server.knows_conditions = false;
  }
  const auto files = world.make();
  for (const Error& error :
       {write_s3(*files, "s3://b/f", "x").error(), files->create_directory("s3://b/d").error(),
        files->publish("s3://b/r", "_metadata", "x", "a").error()}) {
    CHECK(error.code == ErrorCode::store_io);
    CHECK_THAT(error.message, Catch::Contains("does not enforce If-None-Match"));
    CHECK_THAT(error.tries.at(0), Catch::Contains("s3.allow-unconditional: true"));
  }
  CHECK(world.server.keys("b").empty());

  S3Settings settings = world.settings();
  settings.allow_unconditional = true;
  const auto allowed = world.make(settings);
  REQUIRE(write_s3(*allowed, "s3://b/f", "x"));
  CHECK_FALSE(write_s3(*allowed, "s3://b/f", "y"));
  CHECK(world.bytes("f") == "x");
  CHECK(allowed->create_directory("s3://b/d").value());
  CHECK_FALSE(allowed->create_directory("s3://b/d").value());
}

TEST_CASE("s3: the condition is tried once for a bucket, beside what is written", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/deep/f", "x"));
  CHECK(world.server.requests == 4);
  CHECK_THAT(world.server.log[0], Catch::StartsWith("PUT b/deep/.streamrun-probe-"));
  REQUIRE(write_s3(*files, "s3://b/deep/g", "x"));
  CHECK(world.server.requests == 5);
  CHECK(world.server.keys("b") == std::set<std::string>{"deep/f", "deep/g"});
}

}  // namespace
}  // namespace streamrun
