#include <streamrun/checkpoint/orphans.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/state/shared_file.h>

#include <memory>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using test::must;

/// Files of this store are as old as time itself.
constexpr std::int64_t kLater = 1;

struct DeadRun {
  DeadRun() {
    must(files.create_directories("/ckpt"));
    directory =
        must(CheckpointDirectory::open(files, "/ckpt", test::owner_of(test::sample_metadata(1))));
    folder = directory->path();
    for (const std::string bytes : {"needed", "forgotten"})
      test::write_file(files, shared_path(bytes), bytes);
    test::write_file(files, folder + "/shared/note", "somebody's");
    REQUIRE(must(directory->begin(1)));
    must(directory->publish(test::metadata_with_shared(1, {"needed"})));
    REQUIRE(must(directory->begin(2)));
    test::write_file(files, folder + "/chk-2/" + test::uuid_of(7), "half");
    directory.reset();
  }
  std::string shared_path(const std::string& bytes) const {
    return folder + "/shared/" + shared_file_name(test::state_file("", bytes));
  }
  std::set<std::string> all() {  // NOLINT(readability-make-member-function-const)
    std::set<std::string> paths;
    for (const auto& [path, bytes] : files.files()) paths.insert(path);
    return paths;
  }

  sim::MemoryFileSystem files;
  std::unique_ptr<CheckpointDirectory> directory;
  std::string folder;
};

std::set<std::string> paths_of(const std::vector<Orphan>& orphans) {
  std::set<std::string> paths;
  for (const Orphan& orphan : orphans) paths.insert(orphan.path);
  return paths;
}

TEST_CASE("orphans: shared files without use and checkpoints never completed", "[checkpoint]") {
  DeadRun run;
  const auto before = run.all();
  const auto found = must(find_orphans(run.files, run.folder, kLater));
  CHECK((paths_of(found) ==
         std::set<std::string>{run.folder + "/chk-2", run.shared_path("forgotten")}));
  CHECK(found[0].bytes + found[1].bytes == std::string("halfforgotten").size());
  CHECK(run.all() == before);

  const auto removed = must(remove_orphans(run.files, run.folder, kLater, "the test"));
  CHECK(paths_of(removed) == paths_of(found));
  CHECK_FALSE(must(run.files.exists(run.folder + "/chk-2")));
  CHECK(must(run.files.exists(run.shared_path("needed"))));
  CHECK(must(run.files.exists(run.folder + "/shared/note")));
  CHECK(must(find_orphans(run.files, run.folder, kLater)).empty());
}

TEST_CASE("orphans: young ones are left alone", "[checkpoint]") {
  DeadRun run;
  CHECK(must(find_orphans(run.files, run.folder, 0)).empty());
  CHECK(must(remove_orphans(run.files, run.folder, 0, "the test")).empty());
}

TEST_CASE("orphans: in the folder of a living run nothing goes", "[checkpoint]") {
  DeadRun run;
  const auto lock = must(run.files.lock(join_path(run.folder, kLockName), "a run"));
  const auto removed = remove_orphans(run.files, run.folder, kLater, "the test");
  REQUIRE_FALSE(removed);
  CHECK(removed.error().code == ErrorCode::lock);
  CHECK(must(run.files.exists(run.shared_path("forgotten"))));
}

TEST_CASE("orphans: metadata that can't be read says nothing about what is needed",
          "[checkpoint]") {
  DeadRun run;
  test::write_file(run.files, run.folder + "/chk-2/_metadata", "rubbish");
  const auto before = run.all();
  CHECK_FALSE(find_orphans(run.files, run.folder, kLater));
  CHECK_FALSE(remove_orphans(run.files, run.folder, kLater, "the test"));
  CHECK(run.all() == before);
}

TEST_CASE("orphans: what is not ours keeps the folder", "[checkpoint]") {
  DeadRun run;
  test::write_file(run.files, run.folder + "/chk-2/thesis.txt", "years of work");
  const auto removed = must(remove_orphans(run.files, run.folder, kLater, "the test"));
  CHECK((paths_of(removed) == std::set<std::string>{run.shared_path("forgotten")}));
  CHECK(must(run.files.exists(run.folder + "/chk-2/thesis.txt")));
}

}  // namespace
}  // namespace streamrun
