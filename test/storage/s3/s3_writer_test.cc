#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "s3_world.h"

namespace streamrun {
namespace {

TEST_CASE("s3 writer: up to one part is one PUT, more is an upload in parts", "[s3]") {
  for (const std::size_t size : {8 * kMiB, 8 * kMiB + 1, 25 * kMiB}) {
    S3World world;
    S3Settings settings = world.settings();
    settings.most_transfer_bytes = GENERATE(64 * kMiB, 0 * kMiB, 16 * kMiB);
    settings.most_parts_at_once = 2;
    const auto files = world.make(settings);
    const std::string bytes = numbered_bytes(size);
    const auto file = files->create("s3://b/f").value();
    for (std::size_t at = 0; at < size; at += 3 * kMiB)
      REQUIRE(file->append(std::string_view(bytes).substr(at, 3 * kMiB)));
    CHECK(file->sync());
    CHECK(file->close());
    const bool same = world.bytes("f") == bytes;
    CHECK(same);
    CHECK(world.server.open_uploads() == 0);
    const std::size_t parts = (size + 8 * kMiB - 1) / (8 * kMiB);
    CHECK(world.server.requests == 3 + (parts == 1 ? 1 : parts + 3));
  }
}

TEST_CASE("s3 writer: an upload that comes to nothing is aborted", "[s3]") {
  S3World world;
  const auto files = world.make();
  const std::string bytes = numbered_bytes(20 * kMiB);
  {
    const auto file = files->create("s3://b/f").value();
    REQUIRE(file->append(bytes));
    CHECK(world.server.open_uploads() == 1);
  }
  CHECK(world.server.open_uploads() == 0);
  world.place("f", "taken");
  const Error taken = write_s3(*files, "s3://b/f", bytes).error();
  CHECK(taken.code == ErrorCode::store_io);
  CHECK_THAT(taken.message, Catch::Contains("exists"));
  CHECK(world.server.open_uploads() == 0);
  CHECK(world.bytes("f") == "taken");
}

TEST_CASE("s3 writer: after a part is lost no file is made of the others", "[s3]") {
  S3World world;
  const auto files = world.make();
  REQUIRE(write_s3(*files, "s3://b/first", "x"));
  const std::string bytes = numbered_bytes(9 * kMiB);
  bool is_broken = true;
  world.server.fault = [&](const sim::S3Seen& seen) {
    const bool hits = is_broken && seen.query.count("partNumber") > 0;
    return hits ? sim::S3Fault::slow_down : sim::S3Fault::none;
  };
  const auto file = files->create("s3://b/f").value();
  bool failed = false;
  for (int i = 0; i < 10 && !failed; ++i) failed = !file->append(bytes);
  CHECK(failed);
  is_broken = false;
  CHECK_FALSE(file->append("more"));
  CHECK(file->sync().error().code == ErrorCode::unavailable);
  CHECK_FALSE(file->close());
  CHECK(world.server.open_uploads() == 0);
  CHECK(world.server.keys("b") == std::set<std::string>{"first"});
}

}  // namespace
}  // namespace streamrun
