#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "hdfs_world.h"

namespace streamrun {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

struct OpenFile {
  explicit OpenFile(std::size_t length) : bytes(patterned(length)) {
    world.hdfs.put_file("/root/f", bytes);
    file = world->open(HdfsWorld::path("f")).value();
    opened = world.hdfs.requests();
  }
  bool reads_right(std::uint64_t offset, std::size_t length) const {
    std::string into(length, '\0');
    const Result<std::size_t> count = file->read_at(offset, into.data(), length);
    if (!count) return false;
    into.resize(*count);
    return into == (offset > bytes.size() ? std::string() : bytes.substr(offset, length));
  }
  std::uint64_t requests() const { return world.hdfs.requests() - opened; }

  HdfsWorld world;
  const std::string bytes;
  std::unique_ptr<ReadableFile> file;
  std::uint64_t opened = 0;
};

TEST_CASE("hdfs reader: blocks in a row come in windows, each byte once", "[storage][hdfs]") {
  const OpenFile open(20 * kMebibyte + 17);
  for (std::size_t at = 0; at < open.bytes.size(); at += kMebibyte)
    REQUIRE(open.reads_right(at, kMebibyte));
  CHECK(open.world.hdfs.read_bytes() == open.bytes.size());
  // The name node is asked once, for one block of HDFS.
  CHECK(open.requests() == 1 + 3);
}

TEST_CASE("hdfs reader: readers of lines look a little further than they use", "[storage][hdfs]") {
  const OpenFile open(20 * kMebibyte);
  for (std::size_t at = 0; at < open.bytes.size(); at += kMebibyte)
    REQUIRE(open.reads_right(at == 0 ? 0 : at - 1, kMebibyte + 4097));
  CHECK(open.world.hdfs.read_bytes() <= open.bytes.size() + kMebibyte);
}

TEST_CASE("hdfs reader: small reads in a row come in windows too", "[storage][hdfs]") {
  const OpenFile open(9 * kMebibyte);
  for (std::size_t at = 0; at < open.bytes.size(); at += 4096) REQUIRE(open.reads_right(at, 4096));
  CHECK(open.world.hdfs.read_bytes() <= open.bytes.size() + 65'536);
  CHECK(open.requests() < 10);
}

TEST_CASE("hdfs reader: a small read fetches little more than itself", "[storage][hdfs]") {
  const OpenFile open(20 * kMebibyte);
  REQUIRE(open.reads_right(open.bytes.size() - 32, 32));
  REQUIRE(open.reads_right(open.bytes.size() - 5000, 4968));
  CHECK(open.world.hdfs.read_bytes() == 65'536);
  REQUIRE(open.reads_right(7 * kMebibyte, 100));
  CHECK(open.world.hdfs.read_bytes() <= 2 * 65'536);
}

TEST_CASE("hdfs reader: a small file is one request", "[storage][hdfs]") {
  const OpenFile open(1000);
  REQUIRE(open.reads_right(0, 1001));
  REQUIRE(open.reads_right(500, 100));
  CHECK(open.requests() == 2);
  CHECK(open.world.hdfs.read_bytes() == 1000);
}

TEST_CASE("hdfs reader: any reads in any order are right", "[storage][hdfs]") {
  const OpenFile open(13 * kMebibyte + 5);
  sim::SplitMix chance(7);
  for (int i = 0; i < 3000; ++i) {
    const std::size_t most = i % 3 == 0 ? 3 * kMebibyte : i % 3 == 1 ? 300'000 : 100;
    REQUIRE(open.reads_right(chance.next() % (open.bytes.size() + 10), chance.next() % most));
  }
}

TEST_CASE("hdfs reader: many threads read one file", "[storage][hdfs]") {
  const OpenFile open(48 * kMebibyte);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&open, &wrong, thread] {
      for (std::size_t block = 0; block < 12; ++block) {
        if (!open.reads_right((thread * 12 + block) * kMebibyte, kMebibyte)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  // Where rows of reads cross, some bytes are fetched again, as threads happen to run; a window for
  // each read would be 8 times.
  CHECK(open.world.hdfs.read_bytes() <= 3 * open.bytes.size());
}

TEST_CASE("hdfs reader: a file that is removed is E-PATH", "[storage][hdfs]") {
  const OpenFile open(9 * kMebibyte);
  CHECK(open.world->remove_file(HdfsWorld::path("f")).value());
  char byte = 0;
  CHECK(open.file->read_at(5, &byte, 1).error().code == ErrorCode::path);
}

}  // namespace
}  // namespace streamrun
