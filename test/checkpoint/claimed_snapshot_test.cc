#include <streamrun/checkpoint/claimed_snapshot.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/state/shared_file.h>

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using test::must;

const std::string kRun = "/ckpt/" + std::string(32, '1');

/// The folder of a run with chk-1 and chk-2, which share one of the two files that chk-1 needs.
struct RunFolder {
  RunFolder() {
    must(files.create_directories("/ckpt"));
    directory =
        must(CheckpointDirectory::open(files, "/ckpt", test::owner_of(test::sample_metadata(1))));
    for (const std::string bytes : {"old", "both"}) test::write_file(files, path_of(bytes), bytes);
    for (const auto& metadata : {test::metadata_with_shared(1, {"old", "both"}),
                                 test::metadata_with_shared(2, {"both"})}) {
      REQUIRE(must(directory->begin(metadata.id)));
      must(directory->publish(metadata));
    }
  }
  static std::string path_of(const std::string& bytes) {
    return kRun + "/shared/" + shared_file_name(test::state_file("", bytes));
  }
  Result<std::unique_ptr<ClaimedSnapshot>> claim(const std::string& folder) {
    const ResolvedSnapshot snapshot = must(read_snapshot(files, folder));
    return ClaimedSnapshot::open(files, snapshot, "the test");
  }
  bool has(const std::string& path) { return must(files.exists(path)); }

  sim::MemoryFileSystem files;
  std::unique_ptr<CheckpointDirectory> directory;
};

/// A savepoint with one file.
const std::string kSavepoint = "/savepoints/savepoint-111111-222222222222";

void write_savepoint(FileSystem& files) {
  must(files.create_directories("/savepoints"));
  REQUIRE(must(begin_savepoint_folder(files, kSavepoint)));
  const std::string name = test::uuid_of(3);
  test::write_file(files, join_path(kSavepoint, name), "state");
  CheckpointMetadata metadata = test::metadata_with_file(3, name, "state");
  metadata.kind = SnapshotKind::savepoint;
  must(publish_snapshot(files, kSavepoint, {}, metadata));
}

TEST_CASE("claimed snapshot: of a run that lives it can't be had", "[checkpoint]") {
  RunFolder run;
  const auto claimed = run.claim(kRun + "/chk-1");
  REQUIRE_FALSE(claimed);
  CHECK(claimed.error().code == ErrorCode::lock);
}

TEST_CASE("claimed snapshot: goes with what nobody else needs", "[checkpoint]") {
  RunFolder run;
  run.directory.reset();
  const auto claimed = must(run.claim(kRun + "/chk-1"));
  CHECK(claimed->id() == 1);
  CHECK_FALSE(run.claim(kRun + "/chk-2"));  // two runs do not remove from one folder at a time
  CHECK(must(claimed->remove()));
  CHECK_FALSE(run.has(kRun + "/chk-1"));
  CHECK_FALSE(run.has(RunFolder::path_of("old")));
  CHECK(run.has(RunFolder::path_of("both")));
  CHECK(run.has(kRun + "/chk-2/_metadata"));
  CHECK(run.has(kRun + "/.lock"));
}

TEST_CASE("claimed snapshot: while somebody's needs can't be read all shared files stay (R2)",
          "[checkpoint]") {
  RunFolder run;
  run.directory.reset();
  must(run.files.create_directories(kRun + "/chk-9"));
  test::write_file(run.files, kRun + "/chk-9/_metadata", "damaged");
  const auto claimed = must(run.claim(kRun + "/chk-1"));
  CHECK_FALSE(claimed->remove());
  CHECK_FALSE(run.has(kRun + "/chk-1"));
  CHECK(run.has(RunFolder::path_of("old")));
}

TEST_CASE("claimed snapshot: a savepoint is locked by itself, and leaves nothing", "[checkpoint]") {
  RunFolder run;
  write_savepoint(run.files);
  {
    const auto claimed = must(run.claim(kSavepoint));
    const auto second = run.claim(kSavepoint);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::lock);
    CHECK(run.has(kSavepoint + "/.lock"));
  }
  CHECK_FALSE(run.has(kSavepoint + "/.lock"));  // it was not removed, and is as it was
  CHECK(run.has(kSavepoint + "/_metadata"));
  CHECK(must(must(run.claim(kSavepoint))->remove()));
  CHECK_FALSE(run.has(kSavepoint));
}

TEST_CASE("claimed snapshot: what is not ours stays with its folder (R3)", "[checkpoint]") {
  RunFolder run;
  write_savepoint(run.files);
  test::write_file(run.files, kSavepoint + "/notes", "mine");
  CHECK_FALSE(must(must(run.claim(kSavepoint))->remove()));
  CHECK(must(run.files.list(kSavepoint)).size() == 1);
  CHECK(run.has(kSavepoint + "/notes"));
}

TEST_CASE("claimed snapshot: one that was removed meanwhile is told of", "[checkpoint]") {
  RunFolder run;
  run.directory.reset();
  const ResolvedSnapshot snapshot = must(read_snapshot(run.files, kRun + "/chk-1"));
  CHECK(must(must(run.claim(kRun + "/chk-1"))->remove()));
  const auto claimed = ClaimedSnapshot::open(run.files, snapshot, "the test");
  REQUIRE_FALSE(claimed);
  CHECK(claimed.error().code == ErrorCode::path);
  CHECK_FALSE(run.has(kRun + "/chk-1"));
}

}  // namespace
}  // namespace streamrun
