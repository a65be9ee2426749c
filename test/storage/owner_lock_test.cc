#include <streamrun/storage/owner_lock.h>

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "sim/memory_file_system.h"
#include "test_stores.h"

namespace streamrun {
namespace {

/// As many processes as a test wants, told apart by name.
class Processes final : public ProcessTable {
 public:
  std::string self() const override { return now; }
  ProcessFate fate_of(std::string_view identity) const override {
    const auto known = fates.find(std::string(identity));
    return known == fates.end() ? ProcessFate::unknown : known->second;
  }

  std::string now = "first";
  std::map<std::string, ProcessFate> fates = {{"first", ProcessFate::alive},
                                              {"second", ProcessFate::alive}};
};

struct Folder {
  Folder() { store.create_directories("/job").value(); }
  Result<std::unique_ptr<FolderLock>> lock_as(const std::string& process) {
    processes.now = process;
    return lock_by_owner_file(store, processes, "/job/.lock", process + "'s note");
  }
  std::optional<std::string> holder() {
    return holder_of_owner_file(store, processes, "/job/.lock").value();
  }
  std::size_t files() { return store.list("/job").value().size(); }

  sim::MemoryFileSystem store;
  Processes processes;
};

TEST_CASE("owner lock: whoever lives on this machine keeps it", "[storage]") {
  Folder folder;
  CHECK_FALSE(folder.holder());
  std::unique_ptr<FolderLock> lock = folder.lock_as("first").value();
  CHECK(folder.holder() == "first's note");
  const auto second = folder.lock_as("second");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::lock);
  CHECK(second.error().message == "held by another process: first's note");
  CHECK(second.error().where == "/job/.lock");
  CHECK(lock->check());
  lock.reset();
  CHECK_FALSE(folder.holder());
  CHECK(folder.files() == 0);
  CHECK(folder.lock_as("second"));
}

TEST_CASE("owner lock: of the dead, and of those who are elsewhere, it is taken over",
          "[storage]") {
  const ProcessFate fate = GENERATE(ProcessFate::dead, ProcessFate::unknown);
  Folder folder;
  const std::unique_ptr<FolderLock> first = folder.lock_as("first").value();
  folder.processes.fates["first"] = fate;
  CHECK(folder.holder().has_value() == (fate == ProcessFate::unknown));
  std::unique_ptr<FolderLock> second = folder.lock_as("second").value();
  CHECK(second->check());
  const Result<void> overtaken = first->check();
  REQUIRE_FALSE(overtaken);
  CHECK(overtaken.error().code == ErrorCode::lock);
  CHECK(overtaken.error().message == "another process has taken over the folder: second's note");
  CHECK(folder.files() == 1);

  // Also when the new one has ended, and another has begun at the same number.
  second.reset();
  CHECK_FALSE(first->check());
  const std::unique_ptr<FolderLock> third = folder.lock_as("second").value();
  CHECK_FALSE(first->check());
  CHECK(first->remove_file());
  CHECK(third->check());
}

TEST_CASE("owner lock: the highest number counts, whatever else lies there", "[storage]") {
  Folder folder;
  write_file(folder.store, "/job/.lock-9", "second\nof the second");
  write_file(folder.store, "/job/.lock-10", "gone\nof one that is gone");
  write_file(folder.store, "/job/.lock-11x", "second\nnot a lock");
  folder.processes.fates["gone"] = ProcessFate::dead;
  CHECK_FALSE(folder.holder());
  const std::unique_ptr<FolderLock> lock = folder.lock_as("first").value();
  CHECK(folder.store.exists("/job/.lock-11").value());
  CHECK_FALSE(folder.store.exists("/job/.lock-10").value());
  CHECK_FALSE(folder.store.exists("/job/.lock-9").value());
  CHECK(folder.store.exists("/job/.lock-11x").value());
}

TEST_CASE("owner lock: a store that can't be read locks nothing", "[storage]") {
  Folder folder;
  folder.store.fail_call(folder.store.steps() + 1,
                         {.code = ErrorCode::store_io, .message = "broken", .where = "/job"});
  const auto lock = folder.lock_as("first");
  REQUIRE_FALSE(lock);
  CHECK(lock.error().code == ErrorCode::store_io);
  CHECK(folder.files() == 0);

  // Nor does one that takes the name and not the bytes, which is nobody's lock then.
  folder.store.fail_call(folder.store.steps() + 3,
                         {.code = ErrorCode::store_full, .message = "full", .where = "/job"});
  const auto half = folder.lock_as("first");
  REQUIRE_FALSE(half);
  CHECK(half.error().code == ErrorCode::store_full);
  CHECK(folder.lock_as("first"));
}

}  // namespace
}  // namespace streamrun
