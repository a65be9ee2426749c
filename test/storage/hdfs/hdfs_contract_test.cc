#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "hdfs_world.h"

// The contract of `FileSystem`, as far as HDFS can hold it; see test/storage/file_system_test.cc.

namespace streamrun {
namespace {

std::vector<std::string> names_in(const HdfsWorld& world, const std::string& directory) {
  std::vector<std::string> names;
  const std::vector<FileStatus> found = world->list(directory).value();
  for (const FileStatus& status : found) names.push_back(base_name(status.path));
  return names;
}

void write_file(const HdfsWorld& world, const std::string& name, std::string_view bytes) {
  write_bytes(*world.files, HdfsWorld::path(name), bytes).value();
}

TEST_CASE("hdfs: reads back what was written, of any size and in any pieces", "[storage][hdfs]") {
  const std::string bytes = patterned(11'000'000);
  for (const std::size_t length : {0UL, 1UL, 65'536UL, 1'048'576UL, 1'048'577UL, 11'000'000UL}) {
    for (const std::size_t piece : {100'000UL, 1'048'576UL, 20'000'000UL}) {
      INFO(length << " bytes in pieces of " << piece);
      const HdfsWorld world;
      write_bytes(*world.files, HdfsWorld::path("f"), bytes.substr(0, length), piece).value();
      const bool same =
          world->read_all(HdfsWorld::path("f"), kNoLimit).value() == bytes.substr(0, length);
      CHECK(same);
      CHECK(world->status(HdfsWorld::path("f")).value().size == length);
    }
  }
}

TEST_CASE("hdfs: reads at any offset, and less only at the end", "[storage][hdfs]") {
  const HdfsWorld world;
  write_file(world, "f", "0123456789");
  const std::unique_ptr<ReadableFile> file = world->open(HdfsWorld::path("f")).value();
  CHECK(file->size() == 10);
  std::string into(4, '\0');
  CHECK(file->read_at(3, into.data(), 4).value() == 4);
  CHECK(into == "3456");
  CHECK(file->read_at(8, into.data(), 4).value() == 2);
  CHECK(into == "8956");
  CHECK(file->read_at(10, into.data(), 4).value() == 0);
  CHECK(file->read_at(11, into.data(), 4).value() == 0);
}

TEST_CASE("hdfs: what is not there is E-PATH with the path", "[storage][hdfs]") {
  const HdfsWorld world;
  const std::string path = HdfsWorld::path("missing");
  for (const Error& error :
       {world->status(path).error(), world->open(path).error(), world->list(path).error(),
        world->create(path + "/f").error(), world->create_directory(path + "/d").error(),
        world->open_no_follow(path).error()}) {
    CHECK(error.code == ErrorCode::path);
    CHECK_THAT(error.where, Catch::StartsWith(path));
  }
  CHECK(world->rename_no_replace(path, HdfsWorld::path("x")).error().code == ErrorCode::path);
  write_file(world, "f", "f");
  CHECK(world->rename_no_replace(HdfsWorld::path("f"), path + "/f").error().code ==
        ErrorCode::path);
  CHECK_FALSE(world->exists(path).value());
  CHECK_FALSE(world->remove_file(path).value());
  CHECK_FALSE(world->remove_directory(path).value());
}

TEST_CASE("hdfs: a path through a file leads nowhere", "[storage][hdfs]") {
  const HdfsWorld world;
  write_file(world, "f", "x");
  CHECK_FALSE(world->exists(HdfsWorld::path("f/g")).value());
  CHECK(world->create(HdfsWorld::path("f/g")).error().code == ErrorCode::path);
  CHECK(world->list(HdfsWorld::path("f")).error().code == ErrorCode::path);
}

TEST_CASE("hdfs: status tells what a name is", "[storage][hdfs]") {
  const HdfsWorld world;
  write_file(world, "f", "12345");
  write_file(world, "g", "12345");
  const FileStatus file = world->status(HdfsWorld::path("f")).value();
  CHECK(file.path == HdfsWorld::path("f"));
  CHECK(file.kind == FileKind::file);
  CHECK(file.size == 5);
  CHECK(file.modified_unix_milliseconds > 1'600'000'000'000);
  CHECK_FALSE(file.is_link);
  CHECK_FALSE(file.identity.empty());
  CHECK(file.identity == world->status(HdfsWorld::path("f")).value().identity);
  CHECK(file.identity != world->status(HdfsWorld::path("g")).value().identity);
  CHECK(world->status("hdfs://nn:8020/root").value().kind == FileKind::directory);
  CHECK(world->status("hdfs://nn:8020/").value().kind == FileKind::directory);
  CHECK(world->status("hdfs://nn:8020").value().kind == FileKind::directory);
}

TEST_CASE("hdfs: a listing is sorted by name", "[storage][hdfs]") {
  const HdfsWorld world;
  for (const char* name : {"b", "a", "chk-10", "chk-9", ".hidden"}) write_file(world, name, "x");
  CHECK(world->create_directory(HdfsWorld::path("dir")).value());
  const std::vector<FileStatus> all = world->list("hdfs://nn:8020/root/").value();
  CHECK(names_in(world, "hdfs://nn:8020/root") ==
        std::vector<std::string>{".hidden", "a", "b", "chk-10", "chk-9", "dir"});
  CHECK(all.back().kind == FileKind::directory);
  CHECK(all.back().path == HdfsWorld::path("dir"));
  CHECK(all.front().size == 1);
  CHECK(names_in(world, HdfsWorld::path("dir")).empty());
}

TEST_CASE("hdfs: a folder of 10,000 entries is listed, in pages or at once", "[storage][hdfs]") {
  for (const std::size_t page : {0UL, 1UL, 1000UL, 10'000UL}) {
    HdfsWorld world;
    world.hdfs.set_page_entries(page);
    const std::size_t count = page == 1 ? 20 : 10'000;
    for (std::size_t i = 0; i < count; ++i)
      world.hdfs.put_file("/root/part-" + std::to_string(i), "x");
    CHECK(world->list("hdfs://nn:8020/root").value().size() == count);
  }
}

TEST_CASE("hdfs: create takes no name that is taken", "[storage][hdfs]") {
  const HdfsWorld world;
  write_file(world, "f", "first");
  const Result<std::unique_ptr<WritableFile>> second = world->create(HdfsWorld::path("f"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::store_io);
  CHECK_THAT(second.error().message, Catch::Contains("exists"));
  CHECK_FALSE(world->create("hdfs://nn:8020/root"));
  CHECK(world->read_all(HdfsWorld::path("f"), kNoLimit).value() == "first");
}

TEST_CASE("hdfs: of two that create one name the second one fails", "[storage][hdfs]") {
  for (const std::size_t length : {5UL, 3'000'000UL, 6'000'000UL}) {
    const HdfsWorld world;
    const std::string mine = patterned(length);
    const std::string theirs = "0" + mine.substr(1);
    const std::unique_ptr<WritableFile> first = world->create(HdfsWorld::path("f")).value();
    const std::unique_ptr<WritableFile> second = world->create(HdfsWorld::path("f")).value();
    const auto write = [](WritableFile& file, std::string_view bytes) -> Result<void> {
      for (std::size_t at = 0; at < bytes.size(); at += 500'000)
        SR_TRY(file.append(bytes.substr(at, 500'000)));
      return file.sync();
    };
    CHECK(write(*first, mine));
    const Result<void> late = write(*second, theirs);
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::store_io);
    CHECK_THAT(late.error().message, Catch::Contains("exists"));
    CHECK_FALSE(second->append("more"));
    CHECK_FALSE(second->close());
    CHECK(first->close());
    const bool same = world->read_all(HdfsWorld::path("f"), kNoLimit).value() == mine;
    CHECK(same);
  }
}

TEST_CASE("hdfs: a file that is given up leaves nothing", "[storage][hdfs]") {
  for (const std::size_t length : {0UL, 5UL, 3'000'000UL, 6'000'000UL}) {
    const HdfsWorld world;
    {
      const std::unique_ptr<WritableFile> file = world->create(HdfsWorld::path("f")).value();
      CHECK(file->append(patterned(length)));
    }
    CHECK(world.hdfs.files().empty());
  }
}

TEST_CASE("hdfs: a folder is opened as no file", "[storage][hdfs]") {
  const HdfsWorld world;
  CHECK(world->open("hdfs://nn:8020/root").error().code == ErrorCode::store_io);
  CHECK(world->open_no_follow("hdfs://nn:8020/root").error().code == ErrorCode::store_io);
}

TEST_CASE("hdfs: create_directory says whether it did", "[storage][hdfs]") {
  const HdfsWorld world;
  CHECK(world->create_directory(HdfsWorld::path("d")).value());
  CHECK_FALSE(world->create_directory(HdfsWorld::path("d")).value());
  write_file(world, "f", "x");
  CHECK(world->create_directory(HdfsWorld::path("f")).error().code == ErrorCode::path);
  CHECK(world->create_directory(HdfsWorld::path("f/g")).error().code == ErrorCode::path);
}

TEST_CASE("hdfs: create_directories makes what is missing of a path", "[storage][hdfs]") {
  const HdfsWorld world;
  CHECK(world->create_directories(HdfsWorld::path("a/b/c")));
  CHECK(world->create_directories(HdfsWorld::path("a/b/c")));
  CHECK(world->create_directories(HdfsWorld::path("a/b/d/")));
  CHECK(world->create_directories("hdfs://nn:8020/"));
  CHECK(names_in(world, HdfsWorld::path("a/b")) == std::vector<std::string>{"c", "d"});
  write_file(world, "a/f", "x");
  CHECK(world->create_directories(HdfsWorld::path("a/f")).error().code == ErrorCode::path);
  CHECK(world->create_directories(HdfsWorld::path("a/f/g")).error().code == ErrorCode::path);
}

TEST_CASE("hdfs: a rename never replaces, nor moves into a folder", "[storage][hdfs]") {
  for (const bool knows_options : {true, false}) {
    HdfsWorld world;
    world.hdfs.set_knows_rename_options(knows_options);
    write_file(world, "f", "f");
    write_file(world, "g", "g");
    CHECK(world->create_directory(HdfsWorld::path("d")).value());
    CHECK_FALSE(world->rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("g")).value());
    CHECK_FALSE(world->rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("d")).value());
    CHECK(world.hdfs.files() ==
          std::map<std::string, std::string>{{"/root/f", "f"}, {"/root/g", "g"}});
  }
}

TEST_CASE("hdfs: a rename moves a file, also to another folder", "[storage][hdfs]") {
  for (const bool knows_options : {true, false}) {
    HdfsWorld world;
    world.hdfs.set_knows_rename_options(knows_options);
    world.hdfs.set_tells_file_ids(knows_options);
    write_file(world, "f", "f");
    CHECK(world->create_directory(HdfsWorld::path("d")).value());
    CHECK(world->rename_no_replace(HdfsWorld::path("f"), HdfsWorld::path("d/g")).value());
    CHECK(world.hdfs.files() == std::map<std::string, std::string>{{"/root/d/g", "f"}});
  }
}

TEST_CASE("hdfs: removes files and empty folders, each only as what it is", "[storage][hdfs]") {
  const HdfsWorld world;
  CHECK(world->create_directory(HdfsWorld::path("d")).value());
  write_file(world, "d/f", "x");
  CHECK_FALSE(world->remove_directory(HdfsWorld::path("d")).value());
  CHECK_FALSE(world->remove_file(HdfsWorld::path("d")));
  CHECK_FALSE(world->remove_directory(HdfsWorld::path("d/f")));
  CHECK(world->remove_file(HdfsWorld::path("d/f")).value());
  CHECK(world->remove_directory(HdfsWorld::path("d")).value());
  CHECK(names_in(world, "hdfs://nn:8020/root").empty());
}

TEST_CASE("hdfs: a lock has one holder, whom the others are told", "[storage][hdfs]") {
  HdfsWorld world;
  const std::string path = HdfsWorld::path(".lock");
  std::unique_ptr<FolderLock> lock = world->lock(path, "4711 host since noon").value();
  const Result<std::unique_ptr<FolderLock>> second = world->lock(path, "4712 host since one");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::lock);
  CHECK_THAT(second.error().message, Catch::Contains("4711 host since noon"));
  CHECK(world->lock_holder(path).value() == "4711 host since noon");
  CHECK(lock->check());
  lock.reset();
  CHECK(world->lock_holder(path).value() == std::nullopt);
  CHECK(world->lock_holder(HdfsWorld::path("none")).value() == std::nullopt);
  CHECK(names_in(world, "hdfs://nn:8020/root").empty());
}

TEST_CASE("hdfs: a process elsewhere takes a lock over, and who had it is told",
          "[storage][hdfs]") {
  HdfsWorld world;
  const OneProcess elsewhere("host/2");
  const auto other = make_hdfs_file_system({}, world.hdfs, world.random, elsewhere);
  const std::unique_ptr<FolderLock> lock = world->lock(HdfsWorld::path(".lock"), "one").value();
  const std::unique_ptr<FolderLock> next = other->lock(HdfsWorld::path(".lock"), "two").value();
  CHECK(next->check());
  CHECK(lock->check().error().code == ErrorCode::lock);
}

TEST_CASE("hdfs: publish makes a file appear whole, once", "[storage][hdfs]") {
  const HdfsWorld world;
  const std::string root = "hdfs://nn:8020/root";
  CHECK(world->publish(root, "_metadata", "first", "a1").value());
  CHECK_FALSE(world->publish(root, "_metadata", "second", "a2").value());
  CHECK(world->read_all(HdfsWorld::path("_metadata"), kNoLimit).value() == "first");
  CHECK(names_in(world, root) == std::vector<std::string>{"_metadata"});
}

TEST_CASE("hdfs: names are what they are, whatever a URL makes of them", "[storage][hdfs]") {
  const HdfsWorld world;
  for (const char* name : {"a b", "a%20b", "a?b=c&d", "a#b", "a+b", "\xc3\xa4"}) {
    INFO(name);
    write_file(world, name, name);
    CHECK(world->read_all(HdfsWorld::path(name), kNoLimit).value() == name);
    CHECK(world.hdfs.files().contains(std::string("/root/") + name));
    const std::string to = std::string(name) + " to";
    CHECK(world->rename_no_replace(HdfsWorld::path(name), HdfsWorld::path(to)).value());
    CHECK(world.hdfs.files().contains("/root/" + to));
  }
  CHECK(names_in(world, "hdfs://nn:8020/root").size() == 6);
}

TEST_CASE("hdfs: each request says who asks", "[storage][hdfs]") {
  const HdfsWorld world({.user = "a b"});
  write_file(world, "f", "x");
  for (const std::string& url : world.hdfs.urls())
    CHECK_THAT(url, Catch::Contains("user.name=a%20b"));
}

TEST_CASE("hdfs: the replication that Hadoop's properties tell is asked for", "[storage][hdfs]") {
  const HdfsWorld world({.hadoop = {{"dfs.replication", "2"}}});
  write_file(world, "f", "x");
  const std::vector<std::string>& urls = world.hdfs.urls();
  CHECK(std::any_of(urls.begin(), urls.end(), [](const std::string& url) {
    return url.find("op=CREATE") != std::string::npos &&
           url.find("replication=2") != std::string::npos;
  }));
}

}  // namespace
}  // namespace streamrun
