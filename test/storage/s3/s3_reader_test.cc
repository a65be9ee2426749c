#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "s3_world.h"

namespace streamrun {
namespace {

std::string read(ReadableFile& file, std::uint64_t offset, std::size_t length) {
  std::string into(length, '\0');
  into.resize(file.read_at(offset, into.data(), length).value());
  return into;
}

std::size_t gets(const S3World& world) {
  return static_cast<std::size_t>(
      std::count_if(world.server.log.begin(), world.server.log.end(),
                    [](const std::string& line) { return line.starts_with("GET"); }));
}

TEST_CASE("s3 reader: a small file is one exchange", "[s3]") {
  S3World world;
  world.place("f", "0123456789");
  const auto files = world.make();
  const auto file = files->open("s3://b/f").value();
  CHECK(file->size() == 10);
  CHECK(read(*file, 3, 4) == "3456");
  CHECK(read(*file, 8, 4) == "89");
  CHECK(read(*file, 10, 4).empty());
  CHECK(read(*file, 11, 4).empty());
  std::string into(4, '\0');
  CHECK(file->read_now(2, into.data(), 4));
  CHECK(into == "2345");
  CHECK_FALSE(file->read_now(8, into.data(), 4));
  CHECK(world.server.requests == 1);
}

TEST_CASE("s3 reader: a large file comes in windows, whatever is read", "[s3]") {
  S3World world;
  const std::string bytes = numbered_bytes(21 * kMiB + 77);
  world.place("f", bytes);
  S3Settings settings = world.settings();
  settings.most_transfer_bytes = GENERATE(64 * kMiB, 0 * kMiB, 10 * kMiB);
  const auto files = world.make(settings);
  const auto file = files->open("s3://b/f").value();
  // As a state file is read: its footer, its index, then its blocks.
  CHECK(read(*file, bytes.size() - 28, 28) == bytes.substr(bytes.size() - 28));
  CHECK(read(*file, bytes.size() - 5000, 4972) == bytes.substr(bytes.size() - 5000, 4972));
  CHECK(gets(world) == 2);
  const std::size_t step = GENERATE(100'000U, 1U << 20U, 5U << 20U);
  for (std::size_t offset = 0; offset < bytes.size(); offset += step) {
    const bool same = read(*file, offset, step) == bytes.substr(offset, step);
    REQUIRE(same);
  }
  if (settings.most_transfer_bytes == 64 * kMiB) {
    CHECK(gets(world) == 5);
  } else {
    CHECK(gets(world) < 30);
  }
  std::string into(100, '\0');
  CHECK(file->read_now(bytes.size() - 100, into.data(), 100));
  CHECK(read(*file, 5'000'000, 10) == bytes.substr(5'000'000, 10));
  const auto whole = files->open("s3://b/f").value();
  CHECK((read(*whole, 0, bytes.size() + 5) == bytes));
}

TEST_CASE("s3 reader: threads that share a file ask a little out of order", "[s3]") {
  S3World world;
  const std::string bytes = numbered_bytes(30 * kMiB);
  world.place("f", bytes);
  const auto files = world.make();
  const auto file = files->open("s3://b/f").value();
  for (std::size_t block = 0; block < 30; ++block) {
    const std::size_t at = (block % 2 == 0 ? block + 1 : block - 1) * kMiB;
    const bool same = read(*file, at, kMiB) == bytes.substr(at, kMiB);
    CHECK(same);
  }
  CHECK(gets(world) <= 6);
}

TEST_CASE("s3 reader: an object that changed or went is not read on", "[s3]") {
  S3World world;
  world.place("f", numbered_bytes(4 * kMiB));
  const auto files = world.make();
  const auto file = files->open("s3://b/f").value();
  world.server.buckets["b"].objects["f"].etag = "\"another\"";
  std::string into(10, '\0');
  CHECK(file->read_at(3 * kMiB, into.data(), 10).error().code == ErrorCode::store_io);
  world.server.buckets["b"].objects.clear();
  CHECK(file->read_at(3 * kMiB, into.data(), 10).error().code == ErrorCode::path);
}

TEST_CASE("s3 reader: whatever goes wrong with one exchange, the bytes are right", "[s3]") {
  const std::string bytes = numbered_bytes(20 * kMiB);
  const auto fault =
      GENERATE(sim::S3Fault::slow_down, sim::S3Fault::lost_reply, sim::S3Fault::half_body,
               sim::S3Fault::html, sim::S3Fault::internal_error, sim::S3Fault::error_in_success);
  for (std::size_t number = 1; number <= 5; ++number) {
    S3World world;
    world.place("f", bytes);
    world.server.fault = [&](const sim::S3Seen& seen) {
      return seen.number == number ? fault : sim::S3Fault::none;
    };
    const auto files = world.make();
    const bool same = files->read_all("s3://b/f", kNoLimit).value() == bytes;
    CHECK(same);
  }
}

}  // namespace
}  // namespace streamrun
