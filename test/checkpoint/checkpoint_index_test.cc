#include <streamrun/checkpoint/checkpoint_index.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/resolve_snapshot.h>

#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;

/// Folders of several jobs, written straight to the store.
class Store {
 public:
  Store() {
    must(files.create_directories("/ckpt"));
    must(files.create_directories("/sp"));
  }
  std::string job(std::uint8_t number, std::int64_t started_unix_ms,
                  const std::string& name = "wordcount") {
    std::string folder = "/ckpt/" + to_string(test::job_id(number));
    must(files.create_directories(folder));
    const JobFile job{.job_id = test::job_id(number),
                      .family_id = test::job_id(number),
                      .job_name = name,
                      .started_unix_ms = started_unix_ms};
    test::write_file(files, folder + "/.job", encode(job));
    return folder;
  }
  std::string checkpoint(const std::string& folder, CheckpointId id, std::int64_t completed,
                         const std::string& name = "wordcount") {
    CheckpointMetadata metadata = test::sample_metadata(id);
    metadata.job_id = JobId(must(parse_hex128(base_name(folder), "id")));
    metadata.completed_unix_ms = completed;
    metadata.job_name = name;
    return put(folder + "/chk-" + std::to_string(id), metadata);
  }
  std::string savepoint(const std::string& folder_name, std::int64_t completed) {
    CheckpointMetadata metadata = test::sample_metadata(5);
    metadata.kind = SnapshotKind::savepoint;
    metadata.completed_unix_ms = completed;
    return put("/sp/" + folder_name, metadata);
  }
  std::string put(const std::string& folder, const CheckpointMetadata& metadata) {
    must(files.create_directories(folder));
    test::write_file(files, folder + "/_metadata", encode(metadata));
    return folder;
  }
  void damage(const std::string& folder) { REQUIRE(files.flip_bit(folder + "/_metadata", 300, 2)); }
  void finish(const std::string& folder, std::int64_t at) {
    test::write_file(files, folder + "/finished",
                     encode(FinishedMarker{.job_id = test::job_id(1),
                                           .job_name = "wordcount",
                                           .last_checkpoint = 1,
                                           .last_snapshot = 1,
                                           .finished_unix_ms = at}));
  }
  Result<NewestComplete> newest(bool fallback = false) {
    return newest_complete(files, {"/ckpt", "/sp", "/not-there"}, "wordcount", fallback);
  }
  std::string newest_path() {
    const NewestComplete found = must(newest());
    return found.entry ? found.entry->path : "";
  }
  MemoryFileSystem files;
};

TEST_CASE("checkpoint index: a job's folder is listed by id, with what is not complete",
          "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  store.checkpoint(folder, 9, 500);
  store.checkpoint(folder, 10, 400);  // the clock went back
  must(store.files.create_directories(folder + "/chk-11"));
  store.damage(store.checkpoint(folder, 8, 300));
  const JobFolder listed = must(list_job_folder(store.files, folder));
  REQUIRE(listed.entries.size() == 4);
  CHECK(listed.entries[0].id == 11);
  CHECK(listed.entries[0].status == SnapshotStatus::unfinished);
  CHECK(listed.entries[1].id == 10);
  CHECK(listed.entries[2].id == 9);
  CHECK(listed.entries[3].id == 8);
  CHECK(listed.entries[3].status == SnapshotStatus::damaged);
  CHECK(listed.entries[3].damage->code == ErrorCode::metadata_corrupt);
  CHECK(listed.entries[3].damage->where == folder + "/chk-8/_metadata");
  CHECK(listed.job_id == test::job_id(1));
}

TEST_CASE("checkpoint index: an entry tells what a list shows", "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  const SnapshotEntry entry = [&] {
    store.checkpoint(folder, 3, 1'003'900);
    return must(list_job_folder(store.files, folder)).entries.at(0);
  }();
  CHECK(entry.job_name == "wordcount");
  CHECK(entry.took_ms() == 900);
  CHECK(entry.operators == 2);
  CHECK(entry.max_parallelism == 128);
  CHECK(entry.parallelism == 2);
  CHECK(entry.full_bytes == 2 * std::string("state of subtask 0").size() + 4);
  CHECK(entry.new_bytes == entry.full_bytes);
  CHECK_FALSE(entry.incremental);
}

TEST_CASE("checkpoint index: new bytes leave out files that the one before has", "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  CheckpointMetadata metadata = test::metadata_with_file(1, folder + "/shared/a", "abcdef");
  metadata.job_id = test::job_id(1);
  store.put(folder + "/chk-1", metadata);
  metadata.id = 2;
  store.put(folder + "/chk-2", metadata);
  const JobFolder listed = must(list_job_folder(store.files, folder));
  CHECK(listed.entries[0].incremental);
  CHECK(listed.entries[1].new_bytes == listed.entries[1].full_bytes);
  CHECK(listed.entries[0].new_bytes == listed.entries[0].full_bytes - 6);
}

TEST_CASE("checkpoint index: over folders time decides, inside one the id", "[checkpoint]") {
  Store store;
  const std::string one = store.job(1, 100);
  const std::string two = store.job(2, 100);
  store.checkpoint(one, 1, 1000);
  store.checkpoint(one, 2, 500);  // the clock went back
  store.checkpoint(two, 7, 700);
  const SnapshotListing listing = must(list_all(store.files, "/ckpt"));
  std::vector<CheckpointId> ids;
  for (const SnapshotEntry& entry : listing.entries) ids.push_back(entry.id);
  CHECK(ids == std::vector<CheckpointId>{7, 2, 1});
  CHECK(listing.folders.size() == 2);
}

TEST_CASE("checkpoint index: savepoints are found by their metadata", "[checkpoint]") {
  Store store;
  store.savepoint("savepoint-111111-abcdefabcdef", 900);
  store.savepoint("renamed", 800);
  must(store.files.create_directories("/sp/savepoint-222222-abcdefabcdef"));
  must(store.files.create_directories("/sp/something"));
  const SnapshotListing listing = must(list_all(store.files, "/sp"));
  REQUIRE(listing.entries.size() == 3);
  CHECK(listing.entries[0].path == "/sp/savepoint-111111-abcdefabcdef");
  CHECK(listing.entries[1].path == "/sp/renamed");
  CHECK(listing.entries[2].status == SnapshotStatus::unfinished);
  CHECK(listing.entries[2].kind == SnapshotKind::savepoint);
}

TEST_CASE("checkpoint index: a root that is not there is E-PATH", "[checkpoint]") {
  Store store;
  CHECK(list_all(store.files, "/nowhere").error().code == ErrorCode::path);
}

TEST_CASE("newest complete: none is no error", "[checkpoint]") {
  Store store;
  CHECK(store.newest_path().empty());
  store.checkpoint(store.job(1, 100, "other"), 1, 1000, "other");
  CHECK(store.newest_path().empty());
}

TEST_CASE("newest complete: it is the newest of the name, checkpoint or savepoint",
          "[checkpoint]") {
  Store store;
  const std::string one = store.job(1, 100);
  store.checkpoint(one, 1, 1000);
  const std::string two = store.checkpoint(one, 2, 900);
  CHECK(store.newest_path() == two);
  const std::string other_run = store.checkpoint(store.job(2, 950), 1, 1100);
  CHECK(store.newest_path() == other_run);
  const std::string savepoint = store.savepoint("savepoint-111111-abcdefabcdef", 1200);
  CHECK(store.newest_path() == savepoint);
  store.checkpoint(store.job(3, 1250, "other"), 9, 1300, "other");
  CHECK(store.newest_path() == savepoint);
}

TEST_CASE(
    "newest complete: of one run the highest id counts, though an older savepoint was complete "
    "later",
    "[checkpoint]") {
  Store store;
  const std::string own = "/ckpt/" + to_string(test::sample_metadata(5).job_id);
  must(store.files.create_directories(own));
  const std::string savepoint = store.savepoint("savepoint-111111-abcdefabcdef", 1200);
  store.checkpoint(own, 4, 1000);
  CHECK(store.newest_path() == savepoint);
  const std::string newer = store.checkpoint(own, 6, 1100);
  CHECK(store.newest_path() == newer);

  // In one folder too.
  CheckpointMetadata beside = test::sample_metadata(5);
  beside.kind = SnapshotKind::savepoint;
  beside.completed_unix_ms = 1300;
  store.put("/ckpt/savepoint-111111-beside", beside);
  const SnapshotListing listing = must(list_all(store.files, "/ckpt"));
  REQUIRE(listing.entries.size() == 3);
  CHECK(listing.entries[0].path == newer);
  CHECK(listing.entries[1].path == "/ckpt/savepoint-111111-beside");
  CHECK(listing.entries[2].id == 4);
}

TEST_CASE("newest complete: a job that was stopped goes on from its savepoint, wherever that is",
          "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  store.checkpoint(folder, 1, 1000);
  CheckpointMetadata metadata = test::sample_metadata(5);
  metadata.kind = SnapshotKind::savepoint;
  metadata.completed_unix_ms = 1100;
  const std::string elsewhere = store.put("/backup/savepoint-111111-abcdefabcdef", metadata);
  test::write_file(store.files, folder + "/finished",
                   encode(FinishedMarker{.job_id = test::job_id(1),
                                         .job_name = "wordcount",
                                         .last_checkpoint = 0,
                                         .finished_unix_ms = 1200,
                                         .savepoint = elsewhere}));
  CHECK(store.newest_path() == elsewhere);
  CHECK_FALSE(must(store.newest()).finished);
  CHECK(must(resolve_snapshot(store.files, folder)).directory == elsewhere);

  // A later run has gone on from it.
  const std::string later = store.job(2, 1300);
  const std::string newer = store.checkpoint(later, 6, 1400);
  CHECK(store.newest_path() == newer);
  must(store.files.remove_file(newer + "/_metadata"));

  must(store.files.remove_file(elsewhere + "/_metadata"));
  REQUIRE_FALSE(store.newest());
  CHECK(store.newest().error().message.find("stopped with a savepoint") != std::string::npos);
}

TEST_CASE("newest complete: an unfinished newer one does not matter", "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  const std::string good = store.checkpoint(folder, 1, 1000);
  must(store.files.create_directories(folder + "/chk-2"));
  CHECK(store.newest_path() == good);
}

TEST_CASE("newest complete: a damaged newer one fails, unless it may be passed over (G8)",
          "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  const std::string good = store.checkpoint(folder, 1, 1000);
  store.damage(store.checkpoint(folder, 2, 2000));
  const auto found = store.newest();
  REQUIRE(!found);
  CHECK(found.error().code == ErrorCode::metadata_corrupt);
  const NewestComplete other = must(store.newest(true));
  CHECK(other.entry->path == good);
  CHECK(other.warning.find("chk-2") != std::string::npos);
}

TEST_CASE("newest complete: a damaged older one does not matter", "[checkpoint]") {
  Store store;
  const std::string old_run = store.job(1, 100);
  store.damage(store.checkpoint(old_run, 1, 500));
  const std::string folder = store.job(2, 1000);
  store.damage(store.checkpoint(folder, 1, 1500));
  const std::string good = store.checkpoint(folder, 2, 2000);
  CHECK(store.newest_path() == good);
}

TEST_CASE("newest complete: a damaged one of a later run fails", "[checkpoint]") {
  Store store;
  store.checkpoint(store.job(1, 100), 1, 1000);
  store.damage(store.checkpoint(store.job(2, 1500), 2, 2000));
  CHECK(!store.newest());
}

TEST_CASE("newest complete: a damaged savepoint of the newest run fails", "[checkpoint]") {
  Store store;
  store.checkpoint(store.job(0x11, 100), 1, 1000);
  store.damage(store.savepoint("savepoint-111111-abcdefabcdef", 2000));
  CHECK(!store.newest());
}

TEST_CASE("newest complete: a run that ended by itself leaves nothing to do", "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  store.checkpoint(folder, 1, 1000);
  CHECK(!must(store.newest()).finished);
  store.finish(folder, 900);  // same run: the marker is its last act, whatever the clock says
  CHECK(must(store.newest()).finished);
}

TEST_CASE(
    "newest complete: a finish that knew less than the newest checkpoint of its folder is over",
    "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  store.finish(folder, 900);  // its newest was chk-1
  const std::string newer = store.checkpoint(folder, 2, 1000);
  const NewestComplete found = must(store.newest());
  CHECK(!found.finished);
  REQUIRE(found.entry);
  CHECK(found.entry->path == newer);
}

TEST_CASE("newest complete: a finish counts only if nothing is newer", "[checkpoint]") {
  Store store;
  store.finish(store.job(1, 100), 1000);
  CHECK(must(store.newest()).finished);
  const std::string later = store.checkpoint(store.job(2, 1100), 1, 1200);
  const NewestComplete found = must(store.newest());
  CHECK(!found.finished);
  CHECK(found.entry->path == later);
}

TEST_CASE("newest complete: of two runs that ended in one millisecond the later one counts",
          "[checkpoint]") {
  Store store;
  const std::string savepoint = store.savepoint("savepoint-000000-000000000001", 1000);
  // The first was stopped with the savepoint, from which the second went on to its end.
  const auto mark = [&](int job, CheckpointId last, const std::string& with) {
    test::write_file(store.files, store.job(job, 100) + "/finished",
                     encode(FinishedMarker{.job_id = test::job_id(job),
                                           .job_name = "wordcount",
                                           .last_checkpoint = last,
                                           .last_snapshot = last,
                                           .finished_unix_ms = 1000,
                                           .savepoint = with}));
  };
  const bool later_is_first = GENERATE(false, true);
  mark(later_is_first ? 2 : 1, 4, savepoint);
  mark(later_is_first ? 1 : 2, 6, "");
  CHECK(must(store.newest()).finished);
}

TEST_CASE("newest complete: of two stops in one millisecond the later one counts", "[checkpoint]") {
  Store store;
  const auto stop = [&](int job, CheckpointId id, bool keeps_checkpoints) {
    CheckpointMetadata metadata = test::sample_metadata(id);
    metadata.kind = SnapshotKind::savepoint;
    metadata.job_id = test::job_id(job);
    metadata.completed_unix_ms = 1000;
    const std::string path = store.put("/backup/savepoint-of-" + std::to_string(job), metadata);
    test::write_file(store.files, store.job(job, 1000) + "/finished",
                     encode(FinishedMarker{.job_id = test::job_id(job),
                                           .job_name = "wordcount",
                                           .last_checkpoint = keeps_checkpoints ? 0 : id,
                                           .last_snapshot = id,
                                           .finished_unix_ms = 1000,
                                           .savepoint = path}));
    return path;
  };
  // The second was suspended, which keeps its checkpoints.
  const bool later_is_first = GENERATE(false, true);
  stop(later_is_first ? 2 : 1, 9, false);
  const std::string later = stop(later_is_first ? 1 : 2, 10, true);
  CHECK(store.newest_path() == later);
}

TEST_CASE("newest complete: within a run ids decide, wherever the clock went", "[checkpoint]") {
  Store store;
  const std::string folder = store.job(1, 100);
  store.checkpoint(folder, 4, 5000);
  // Suspended, so that its checkpoints stay; the clock had been set back.
  const std::string savepoint = store.savepoint("savepoint-111111-000000000005", 1000);
  test::write_file(store.files, folder + "/finished",
                   encode(FinishedMarker{.job_id = test::job_id(1),
                                         .job_name = "wordcount",
                                         .last_checkpoint = 0,
                                         .last_snapshot = 5,
                                         .finished_unix_ms = 1001,
                                         .savepoint = savepoint}));
  CHECK(store.newest_path() == savepoint);
}

TEST_CASE("newest complete: a snapshot in the millisecond of an earlier run's end counts more",
          "[checkpoint]") {
  Store store;
  const std::string savepoint = store.savepoint("savepoint-000000-000000000009", 1000);
  test::write_file(store.files, store.job(1, 100) + "/finished",
                   encode(FinishedMarker{.job_id = test::job_id(1),
                                         .job_name = "wordcount",
                                         .last_checkpoint = 9,
                                         .last_snapshot = 9,
                                         .finished_unix_ms = 1000,
                                         .savepoint = savepoint}));
  const std::string later = store.checkpoint(store.job(2, 1000), 10, 1000);
  CHECK(store.newest_path() == later);
}

}  // namespace
}  // namespace streamrun
