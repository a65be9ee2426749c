#include <streamrun/checkpoint/absent_snapshots.h>
#include <streamrun/checkpoint/job_folder_files.h>
#include <streamrun/checkpoint/metadata_format.h>

#include <string>

#include <catch2/catch.hpp>

#include "checkpoint/samples.h"
#include "sim/memory_file_system.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

using test::must;

const std::string kRoot = "/ckpt";

/// Two runs of one family and one of another. Each has begun checkpoint 9; that of `of` was
/// published and taken back, which no disk knows.
struct Runs {
  explicit Runs(int of) {
    must(files.create_directories(kRoot));
    for (int run = 1; run <= 3; ++run) {
      const std::string folder = kRoot + "/" + to_string(test::job_id(run));
      must(files.create_directories(folder + "/chk-9"));
      test::write_file(files, folder + "/.job",
                       encode(JobFile{.job_id = test::job_id(run),
                                      .family_id = test::job_id(run == 3 ? 3 : 1),
                                      .job_name = "wordcount",
                                      .started_unix_ms = 100 * run}));
    }
    metadata = kRoot + "/" + to_string(test::job_id(of)) + "/chk-9/_metadata";
    test::write_file(files, metadata, encode(test::sample_metadata(9)));
    must(files.remove_file(metadata));
  }
  bool comes_back(std::uint64_t seed) {
    SeededRandom random(seed);
    files.power_cut(random);
    return must(files.exists(metadata));
  }

  sim::MemoryFileSystem files;
  std::string metadata;
};

/// In any of many power cuts.
bool may_come_back(int of, CheckpointId above) {
  bool any = false;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Runs runs(of);
    must(make_newer_absence_durable(runs.files, kRoot, test::job_id(1), above));
    any = any || runs.comes_back(seed);
  }
  return any;
}

}  // namespace

TEST_CASE("absent snapshots: one of the family that is newer does not come back (G8)",
          "[checkpoint]") {
  for (const int run : {1, 2}) {
    CHECK_FALSE(may_come_back(run, 8));
    // Nobody has asked for these.
    CHECK(may_come_back(run, 9));
  }
  CHECK(may_come_back(3, 8));
}

TEST_CASE("absent snapshots: a folder that can't be synced is an error", "[checkpoint]") {
  Runs runs(2);
  runs.files.fail_call(runs.files.steps() + 1,
                       {.code = ErrorCode::store_fsync, .message = "broken"});
  const auto made = make_newer_absence_durable(runs.files, kRoot, test::job_id(1), 8);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == ErrorCode::store_fsync);
}

TEST_CASE("absent snapshots: no folder of checkpoints is nothing to do", "[checkpoint]") {
  sim::MemoryFileSystem files;
  CHECK(make_newer_absence_durable(files, "/nowhere", test::job_id(1), 1));
}

}  // namespace streamrun
