#include <streamrun/checkpoint/checkpoint_directory.h>
#include <streamrun/checkpoint/shared_files.h>
#include <streamrun/state/shared_file.h>

#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using test::must;

const std::string kJob = "/ckpt/" + std::string(32, '1');
const std::string kShared = kJob + "/shared";

std::string name_of(const std::string& bytes) {
  return shared_file_name(test::state_file("", bytes));
}

/// A job's folder with one checkpoint that refers to the shared file `needed`.
struct Folder {
  Folder() {
    must(files.create_directories("/ckpt"));
    directory =
        must(CheckpointDirectory::open(files, "/ckpt", test::owner_of(test::sample_metadata(1))));
    test::write_file(files, kShared + "/" + name_of("needed"), "needed");
    CheckpointMetadata metadata =
        test::metadata_with_file(1, std::string(kSharedPrefix) + name_of("needed"), "needed");
    REQUIRE(must(directory->begin(1)));
    must(directory->publish(metadata));
  }
  bool has(const std::string& name) { return must(files.exists(kShared + "/" + name)); }

  MemoryFileSystem files;
  std::unique_ptr<CheckpointDirectory> directory;
};

TEST_CASE("shared files: a clean-up removes names of ours that nobody needs", "[checkpoint]") {
  Folder folder;
  const std::string temporary = shared_temporary_name(test::uuid_of(5));
  const std::vector<std::string> foreign = {"notes", test::uuid_of(7), name_of("x") + "x",
                                            ".tmp-notes"};
  for (const std::string& name : foreign) test::write_file(folder.files, kShared + "/" + name, "");
  test::write_file(folder.files, kShared + "/" + name_of("unneeded"), "unneeded");
  test::write_file(folder.files, kShared + "/" + temporary, "half");
  const SharedLeftovers leftovers = must(clean_shared_files(folder.files, kJob));
  CHECK(leftovers.removed.size() == 2);
  CHECK_FALSE(folder.has(name_of("unneeded")));
  CHECK_FALSE(folder.has(temporary));
  CHECK(folder.has(name_of("needed")));
  for (const std::string& name : foreign) {
    INFO(name);
    CHECK(folder.has(name));
  }
}

TEST_CASE("shared files: temporary ones go without a look at who needs what", "[checkpoint]") {
  Folder folder;
  const std::string temporary = shared_temporary_name(test::uuid_of(5));
  test::write_file(folder.files, kShared + "/" + name_of("unneeded"), "unneeded");
  test::write_file(folder.files, kShared + "/" + temporary, "half");
  test::write_file(folder.files, kShared + "/.tmp-notes", "");
  must(folder.files.create_directories(kJob + "/chk-2"));
  test::write_file(folder.files, kJob + "/chk-2/_metadata", "damaged");
  must(folder.directory->remove_shared_temporaries());
  CHECK_FALSE(folder.has(temporary));
  CHECK(folder.has(name_of("unneeded")));
  CHECK(folder.has(".tmp-notes"));
  CHECK(must(folder.directory->shared_names_present()) ==
        std::set<std::string>{name_of("needed"), name_of("unneeded")});
}

TEST_CASE("shared files: a clean-up says whether any are left", "[checkpoint]") {
  Folder folder;
  CHECK(must(clean_shared_files(folder.files, kJob)).some_in_use);
  CHECK(must(folder.directory->clean_leftovers()).has_shared);
  CHECK(must(folder.directory->remove(1)));
  CHECK_FALSE(must(clean_shared_files(folder.files, kJob)).some_in_use);
  CHECK_FALSE(must(folder.directory->clean_leftovers()).has_shared);
}

TEST_CASE("shared files: nothing is removed while a metadata can't be read (R2)", "[checkpoint]") {
  Folder folder;
  test::write_file(folder.files, kShared + "/" + name_of("unknown"), "unknown");
  must(folder.files.create_directories(kJob + "/chk-2"));
  test::write_file(folder.files, kJob + "/chk-2/_metadata", "damaged");
  CHECK_FALSE(clean_shared_files(folder.files, kJob).has_value());
  CHECK_FALSE(folder.directory->shared_names().has_value());
  const CheckpointDirectory::Leftovers leftovers = must(folder.directory->clean_leftovers());
  CHECK(leftovers.removed.empty());
  CHECK(leftovers.kept == std::vector<std::string>{kShared});
  CHECK(leftovers.has_shared);
  CHECK(folder.has(name_of("unknown")));
}

TEST_CASE("shared files: a checkpoint that somebody put aside still counts (R1)", "[checkpoint]") {
  Folder folder;
  const std::string bytes = must(folder.files.read_all(kJob + "/chk-1/_metadata", 1 << 20U));
  must(folder.files.create_directories(kJob + "/chk-1.kept"));
  test::write_file(folder.files, kJob + "/chk-1.kept/_metadata", bytes);
  CHECK(must(folder.directory->remove(1)));
  CHECK(must(clean_shared_files(folder.files, kJob)).removed.empty());
  CHECK(folder.has(name_of("needed")));
  CHECK(must(folder.directory->shared_names()).at(0) == std::set<std::string>{name_of("needed")});
}

TEST_CASE("shared files: without the folder there is nothing to clean", "[checkpoint]") {
  MemoryFileSystem files;
  must(files.create_directories("/job"));
  CHECK(must(clean_shared_files(files, "/job")).removed.empty());
}

}  // namespace
}  // namespace streamrun
