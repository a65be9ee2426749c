// What earlier versions wrote, this one reads: jobs go on from their snapshots with the output that
// was recorded then, at any parallelism and in any folder.
#include <streamrun/checkpoint/metadata_format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "checkpoint/samples.h"
#include "golden/golden_world.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("golden snapshots: there is one of each kind", "[golden]") {
  for (const char* const name : {"kinds", "kinds-compressed", "kinds-savepoint", "kinds-ssts",
                                 "in-flight", "files", "chain"}) {
    CHECK_NOTHROW(newest_golden_case(name));
  }
}

TEST_CASE("golden snapshots: their jobs go on as recorded, at any parallelism", "[golden]") {
  for (const GoldenCase& golden : golden_cases()) {
    for (const int parallelism : {1, 2, 3}) {
      INFO(golden.label() << " at parallelism " << parallelism);
      const GoldenWorld world(golden);
      const Outcome outcome = world.run(parallelism);
      INFO(outcome.err);
      CHECK(outcome.status == 0);
      CHECK(world.output_of(outcome) == golden.output());
    }
  }
}

TEST_CASE("golden snapshots: their values are those that were recorded", "[golden]") {
  for (const GoldenCase& golden : golden_cases()) {
    const GoldenWorld world(golden);
    std::size_t states = 0;
    for (const auto& entry : fs::recursive_directory_iterator(world.folder().at("state"))) {
      if (!entry.is_regular_file()) continue;
      const std::string state =
          entry.path().parent_path().filename().string() + "/" + entry.path().stem().string();
      INFO(golden.label() << ": " << state);
      // Not the binary with the jobs: a snapshot says itself what is in it.
      const Outcome outcome = world.folder().streamrun({"inspect", "snapshot", "--state", state});
      CHECK(outcome.status == 0);
      CHECK(outcome.out == golden_bytes_of(entry.path().string()));
      ++states;
    }
    CHECK(states > 0);
  }
}

TEST_CASE("golden snapshots: verify --data finds nothing wrong", "[golden]") {
  for (const GoldenCase& golden : golden_cases()) {
    INFO(golden.label());
    const GoldenWorld world(golden);
    const Outcome outcome = world.folder().streamrun({"verify", "--data", "snapshot"});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("golden snapshots: one of a later format is refused with both numbers", "[golden]") {
  const GoldenWorld world(newest_golden_case("kinds"));
  const std::string metadata = world.folder().at("snapshot/_metadata");
  std::string body = body_of(golden_bytes_of(metadata));
  const std::string now = "\"format\": " + std::to_string(kMetadataFormat);
  const std::string later = "\"format\": " + std::to_string(kMetadataFormat + 1);
  body.replace(body.find(now), now.size(), later);
  std::ofstream(metadata, std::ios::binary) << with_footer(body);
  const Outcome outcome = world.run(2);
  INFO(outcome.err);
  CHECK(outcome.status == 76);
  CHECK(outcome.out.empty());
  for (const int number : {kMetadataFormat, kMetadataFormat + 1})
    CHECK(outcome.err.find("format " + std::to_string(number)) != std::string::npos);
}

}  // namespace
}  // namespace streamrun::test
