#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/resolve_snapshot.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/state/shared_file.h>

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;
using Directory = std::unique_ptr<CheckpointDirectory>;

const std::string kRoot = "/ckpt";

Directory open_directory(FileSystem& files) {
  return must(CheckpointDirectory::open(files, kRoot, test::owner_of(test::sample_metadata(1))));
}

bool is_there(FileSystem& files, const std::string& path) {
  return must(files.exists(path));
}

TEST_CASE("checkpoint directory: opening makes the folders and records the job", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  CHECK(directory->path() == "/ckpt/" + std::string(32, '1'));
  CHECK(is_there(files, directory->shared_path()));
  CHECK(is_there(files, directory->task_owned_path()));
  const JobFolder folder = must(list_job_folder(files, directory->path()));
  REQUIRE(folder.job);
  CHECK(*folder.job == test::owner_of(test::sample_metadata(1)).job);
  CHECK(must(directory->highest_id_present()) == 0);
}

TEST_CASE("checkpoint directory: a root whose parent is missing is not made", "[checkpoint]") {
  MemoryFileSystem files;
  const auto opened =
      CheckpointDirectory::open(files, "/no/ckpt", test::owner_of(test::sample_metadata(1)));
  REQUIRE(!opened);
  CHECK(opened.error().code == ErrorCode::path);
  CHECK(!is_there(files, "/no"));
}

TEST_CASE("checkpoint directory: a second runner meets the lock", "[checkpoint]") {
  MemoryFileSystem files;
  Directory directory = open_directory(files);
  const auto second =
      CheckpointDirectory::open(files, kRoot, test::owner_of(test::sample_metadata(1)));
  REQUIRE(!second);
  CHECK(second.error().code == ErrorCode::lock);
  directory.reset();
  CHECK(CheckpointDirectory::open(files, kRoot, test::owner_of(test::sample_metadata(1)))
            .has_value());
}

TEST_CASE("checkpoint directory: the job is recorded once", "[checkpoint]") {
  MemoryFileSystem files;
  open_directory(files).reset();
  CheckpointDirectory::Owner other = test::owner_of(test::sample_metadata(1));
  other.job.job_name = "renamed";
  const Directory again = must(CheckpointDirectory::open(files, kRoot, other));
  CHECK(must(list_job_folder(files, again->path())).job->job_name == "wordcount");
}

TEST_CASE("checkpoint directory: a folder is begun once (D3)", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  CHECK(must(directory->begin(3)));
  CHECK_FALSE(must(directory->begin(3)));
  CHECK(must(directory->begin(4)));
  CHECK(must(directory->highest_id_present()) == 4);
}

TEST_CASE("checkpoint directory: what is published is complete and verifies", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  const CheckpointMetadata metadata = test::publish_with_file(files, *directory, 2, 5000);
  const ResolvedSnapshot snapshot = must(read_snapshot(files, directory->checkpoint_path(2)));
  CHECK(snapshot.metadata == metadata);
  CHECK(verify_files(files, snapshot.directory, snapshot.metadata, true).has_value());
}

TEST_CASE("checkpoint directory: metadata whose files are not all there is not published",
          "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  REQUIRE(must(directory->begin(2)));
  const auto published = directory->publish(test::metadata_with_file(2, test::uuid_of(9), "abc"));
  REQUIRE(!published);
  CHECK(published.error().code == ErrorCode::state_missing);
  CHECK(!is_there(files, directory->checkpoint_path(2) + "/_metadata"));
}

TEST_CASE("checkpoint directory: metadata that no reader would take is not published",
          "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  REQUIRE(must(directory->begin(2)));
  CheckpointMetadata metadata = test::sample_metadata(2);
  metadata.operators[0].subtasks.pop_back();
  const auto published = directory->publish(metadata);
  REQUIRE(!published);
  CHECK(published.error().code == ErrorCode::metadata_corrupt);
}

TEST_CASE("checkpoint directory: removing leaves nothing of it, and all else", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  test::publish_with_file(files, *directory, 1, 5000);
  test::publish_with_file(files, *directory, 2, 6000);
  CHECK(must(directory->remove(1)));
  CHECK(!is_there(files, directory->checkpoint_path(1)));
  CHECK(must(read_snapshot(files, directory->checkpoint_path(2))).metadata.id == 2);
}

TEST_CASE("checkpoint directory: removing keeps files that the metadata does not name (R3)",
          "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  test::publish_with_file(files, *directory, 1, 5000);
  const std::string foreign = directory->checkpoint_path(1) + "/notes.txt";
  test::write_file(files, foreign, "mine");
  CHECK_FALSE(must(directory->remove(1)));
  CHECK(is_there(files, foreign));
  CHECK(!is_there(files, directory->checkpoint_path(1) + "/_metadata"));
}

TEST_CASE("checkpoint directory: removing keeps shared files", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  REQUIRE(must(directory->begin(1)));
  const std::string shared = directory->shared_path() + "/" + test::uuid_of(4);
  test::write_file(files, shared, "abc");
  must(directory->publish(test::metadata_with_file(1, shared, "abc")));
  CHECK(must(directory->remove(1)));
  CHECK(is_there(files, shared));
}

TEST_CASE(
    "checkpoint directory: a checkpoint moves with its job's folder, not without shared files",
    "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  const CheckpointMetadata metadata = test::metadata_with_shared(1, {"old", "new"});
  for (const std::string& copy : {directory->path(), std::string("/moved")}) {
    must(files.create_directories(copy + "/chk-1"));
    must(files.create_directories(copy + "/shared"));
    for (const std::string& bytes : {std::string("old"), std::string("new")}) {
      test::write_file(files, copy + "/shared/" + shared_file_name(test::state_file("", bytes)),
                       bytes);
    }
    must(publish_snapshot(files, copy + "/chk-1", {copy + "/shared"}, metadata));
    const ResolvedSnapshot snapshot = must(resolve_snapshot(files, copy));
    CHECK(verify_files(files, snapshot.directory, snapshot.metadata, true).has_value());
  }
  must(files.create_directories("/torn/chk-1"));
  const Result<void> torn = verify_files(files, "/torn/chk-1", metadata, false);
  REQUIRE(!torn);
  CHECK(torn.error().code == ErrorCode::state_missing);
  CHECK(torn.error().where == "/torn/shared/" + shared_file_name(test::state_file("", "old")));
  CHECK(torn.error().tries.size() == 1);
}

TEST_CASE("checkpoint directory: what can't be read is not removed (R2)", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  test::publish_with_file(files, *directory, 1, 5000);
  const auto before = files.files();
  REQUIRE(files.flip_bit(directory->checkpoint_path(1) + "/_metadata", 200, 3));
  const auto removed = directory->remove(1);
  REQUIRE(!removed);
  CHECK(removed.error().code == ErrorCode::metadata_corrupt);
  CHECK(files.files().size() == before.size());
}

TEST_CASE("checkpoint directory: aborting removes the named files and the folder", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  REQUIRE(must(directory->begin(1)));
  const std::string folder = directory->checkpoint_path(1);
  test::write_file(files, folder + "/a", "1");
  test::write_file(files, folder + "/b", "2");
  must(directory->abort(1, {"a", "never-made"}));
  CHECK(is_there(files, folder + "/b"));
  must(directory->abort(1, {"b"}));  // a late one
  CHECK(!is_there(files, folder));
  must(directory->abort(1, {"c"}));
}

TEST_CASE("checkpoint directory: a complete one is not aborted", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  test::publish_with_file(files, *directory, 1, 5000);
  const auto aborted = directory->abort(1, {test::uuid_of(1)});
  REQUIRE(!aborted);
  CHECK(aborted.error().code == ErrorCode::bug);
  CHECK(must(read_snapshot(files, directory->checkpoint_path(1))).metadata.id == 1);
}

TEST_CASE("checkpoint directory: the finished marker is written once", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  const FinishedMarker marker{.job_id = test::job_id(0x11),
                              .job_name = "wordcount",
                              .last_checkpoint = 7,
                              .last_snapshot = 8,
                              .finished_unix_ms = 9000};
  must(directory->mark_finished(marker));
  must(directory->mark_finished({.job_id = test::job_id(0x11), .job_name = "other"}));
  CHECK(must(list_job_folder(files, directory->path())).finished == marker);
}

TEST_CASE(
    "checkpoint directory: a run that opens the folder again takes the finished marker away, for "
    "good",
    "[checkpoint]") {
  MemoryFileSystem files;
  Directory directory = open_directory(files);
  must(directory->mark_finished({.job_id = test::job_id(0x11), .job_name = "wordcount"}));
  const std::string path = directory->path();
  REQUIRE(must(list_job_folder(files, path)).finished);
  directory.reset();
  directory = open_directory(files);
  CHECK(!must(list_job_folder(files, path)).finished);
  directory.reset();
  test::SeededRandom random(1);
  files.power_cut(random);
  CHECK(!must(list_job_folder(files, path)).finished);
}

TEST_CASE("checkpoint directory: a runner that meets the lock leaves the finished marker",
          "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  must(directory->mark_finished({.job_id = test::job_id(0x11), .job_name = "wordcount"}));
  REQUIRE(!CheckpointDirectory::open(files, kRoot, test::owner_of(test::sample_metadata(1))));
  CHECK(must(list_job_folder(files, directory->path())).finished);
}

TEST_CASE("checkpoint directory: clean-up takes leftovers and nothing else", "[checkpoint]") {
  MemoryFileSystem files;
  Directory directory = open_directory(files);
  test::publish_with_file(files, *directory, 1, 5000);
  REQUIRE(must(directory->begin(2)));
  test::write_file(files, directory->checkpoint_path(2) + "/" + test::uuid_of(8), "dead");
  test::write_file(files, directory->checkpoint_path(2) + "/._metadata.tmp-abc", "dead");
  REQUIRE(must(directory->begin(3)));
  test::write_file(files, directory->checkpoint_path(3) + "/notes.txt", "mine");
  test::write_file(files, directory->checkpoint_path(1) + "/._metadata.tmp-abc", "dead");
  test::write_file(files, directory->path() + "/.finished.tmp-abc", "dead");
  test::write_file(files, directory->path() + "/notes.txt", "mine");
  directory.reset();

  directory = open_directory(files);
  REQUIRE(must(directory->begin(4)));
  const CheckpointDirectory::Leftovers leftovers = must(directory->clean_leftovers());
  const std::string job = directory->path();
  CHECK(leftovers.removed ==
        std::vector<std::string>{job + "/.finished.tmp-abc", job + "/chk-1/._metadata.tmp-abc",
                                 job + "/chk-2/._metadata.tmp-abc",
                                 job + "/chk-2/" + test::uuid_of(8), job + "/chk-2"});
  CHECK(leftovers.kept == std::vector<std::string>{job + "/chk-3"});
  CHECK(is_there(files, job + "/chk-3/notes.txt"));
  CHECK(is_there(files, job + "/notes.txt"));
  CHECK(is_there(files, job + "/chk-4"));
  CHECK(must(read_snapshot(files, job + "/chk-1")).metadata.id == 1);
}

TEST_CASE("checkpoint directory: the probe leaves nothing behind", "[checkpoint]") {
  MemoryFileSystem files;
  const Directory directory = open_directory(files);
  test::publish_with_file(files, *directory, 1, 5000);
  const auto before = files.files();
  must(make_durable(files, directory->checkpoint_path(1), "abc"));
  CHECK(files.files() == before);
}

TEST_CASE("checkpoint directory: a savepoint has its own folder and is published there",
          "[checkpoint]") {
  MemoryFileSystem files;
  const std::string folder =
      join_path("/sp", savepoint_folder_name(test::job_id(0x11), test::uuid_of(5)));
  CHECK(folder == "/sp/savepoint-111111-000000000000");
  CHECK(must(begin_savepoint_folder(files, folder)));
  CHECK_FALSE(must(begin_savepoint_folder(files, folder)));
  CheckpointMetadata metadata = test::sample_metadata(4);
  metadata.kind = SnapshotKind::savepoint;
  must(publish_snapshot(files, folder, {}, metadata));
  CHECK(must(resolve_snapshot(files, folder)).metadata == metadata);
  const auto again = publish_snapshot(files, folder, {}, metadata);
  REQUIRE(!again);
  CHECK(again.error().code == ErrorCode::lock);
}

}  // namespace
}  // namespace streamrun
