#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "test_stores.h"

// What the model of a disk must be able to do to a program that forgets a sync, and must never do
// to one that did not.

namespace streamrun {
namespace {

using sim::MemoryFileSystem;
using Files = std::map<std::string, std::string>;

constexpr std::uint64_t kSeeds = 300;

/// All states that power cuts can leave `prepare` in, over many seeds.
template <typename Prepare>
std::set<Files> states_after_power_cut(Prepare prepare) {
  std::set<Files> states;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryFileSystem files;
    prepare(files);
    SeededRandom random(seed);
    files.power_cut(random);
    states.insert(files.files());
  }
  return states;
}

Error io_error() {
  return {.code = ErrorCode::store_fsync, .message = "injected"};
}

TEST_CASE("power cut: a synced file under a synced name stays as it is", "[storage]") {
  const std::string bytes(20'000, 'x');
  const auto states = states_after_power_cut([&](MemoryFileSystem& files) {
    write_file(files, "/f", bytes);
    REQUIRE(files.sync_directory("/"));
  });
  CHECK(states == std::set<Files>{{{"/f", bytes}}});
}

TEST_CASE("power cut: a new name that was not synced may vanish", "[storage]") {
  const auto states =
      states_after_power_cut([](MemoryFileSystem& files) { write_file(files, "/f", "x"); });
  CHECK(states == std::set<Files>{{}, {{"/f", "x"}}});
}

TEST_CASE("power cut: bytes that were not synced may be gone, cut, torn or garbage", "[storage]") {
  const std::string bytes(10'000, 'x');
  const auto states = states_after_power_cut([&](MemoryFileSystem& files) {
    const auto file = files.create("/f").value();
    REQUIRE(files.sync_directory("/"));
    REQUIRE(file->append(bytes));
    REQUIRE(file->close());
  });
  bool whole = false;
  bool empty = false;
  bool page_of_zeros = false;
  bool half_sector = false;
  bool garbage = false;
  for (const Files& state : states) {
    const std::string& left = state.at("/f");
    whole = whole || left == bytes;
    empty = empty || left.empty();
    page_of_zeros = page_of_zeros || left.find(std::string(4096, '\0')) != std::string::npos;
    half_sector = half_sector ||
                  left.find(std::string(256, 'x') + std::string(256, '\0')) != std::string::npos;
    garbage = garbage || left.find_first_not_of(std::string("x\0", 2)) != std::string::npos;
  }
  CHECK(whole);
  CHECK(empty);
  CHECK(page_of_zeros);
  CHECK(half_sector);
  CHECK(garbage);
}

TEST_CASE("power cut: bytes synced before stay, whatever was appended to their page", "[storage]") {
  const std::string first(1000, 'a');
  for (const Files& state : states_after_power_cut([&](MemoryFileSystem& files) {
         const auto file = files.create("/f").value();
         REQUIRE(file->append(first));
         REQUIRE(file->sync());
         REQUIRE(files.sync_directory("/"));
         REQUIRE(file->append(std::string(1000, 'b')));
       })) {
    REQUIRE(state.at("/f").substr(0, 1000) == first);
  }
}

TEST_CASE("power cut: a sync that failed lies to the one after it", "[storage]") {
  const std::string bytes(4096, 'x');
  const auto states = states_after_power_cut([&](MemoryFileSystem& files) {
    const auto file = files.create("/f").value();
    REQUIRE(files.sync_directory("/"));
    REQUIRE(file->append(bytes));
    files.fail_call(files.steps() + 1, io_error());
    REQUIRE_FALSE(file->sync());
    REQUIRE(file->sync());
  });
  CHECK(states.count({{"/f", bytes}}) == 1);
  CHECK(states.count({{"/f", std::string(4096, '\0')}}) == 1);
}

TEST_CASE("power cut: a rename that was not synced happens as a whole or not", "[storage]") {
  const auto states = states_after_power_cut([](MemoryFileSystem& files) {
    write_file(files, "/f", "x");
    REQUIRE(files.sync_directory("/"));
    REQUIRE(files.rename_no_replace("/f", "/g").value());
  });
  CHECK(states == std::set<Files>{{{"/f", "x"}}, {{"/g", "x"}}});
}

TEST_CASE(
    "power cut: after a rename between folders the old name may come back until its folder is "
    "synced",
    "[storage]") {
  const auto prepare = [](MemoryFileSystem& files) {
    REQUIRE(files.create_directories("/d"));
    write_file(files, "/f", "x");
    REQUIRE(files.sync_directory("/"));
    REQUIRE(files.rename_no_replace("/f", "/d/g").value());
    REQUIRE(files.sync_directory("/d"));
  };
  CHECK(states_after_power_cut(prepare) ==
        std::set<Files>{{{"/d/g", "x"}}, {{"/d/g", "x"}, {"/f", "x"}}});
  CHECK(states_after_power_cut([&](MemoryFileSystem& files) {
          prepare(files);
          REQUIRE(files.sync_directory("/"));
        }) == std::set<Files>{{{"/d/g", "x"}}});
}

TEST_CASE("power cut: removals that were not synced happen or not, each on its own", "[storage]") {
  const auto states = states_after_power_cut([](MemoryFileSystem& files) {
    write_file(files, "/f", "x");
    write_file(files, "/g", "y");
    REQUIRE(files.sync_directory("/"));
    REQUIRE(files.remove_file("/f").value());
    REQUIRE(files.remove_file("/g").value());
  });
  CHECK(states == std::set<Files>{{}, {{"/f", "x"}}, {{"/g", "y"}}, {{"/f", "x"}, {"/g", "y"}}});
}

TEST_CASE("power cut: a folder that vanishes takes along what was synced inside it", "[storage]") {
  const auto states = states_after_power_cut([](MemoryFileSystem& files) {
    REQUIRE(files.create_directory("/d").value());
    write_file(files, "/d/f", "x");
    REQUIRE(files.sync_directory("/d"));
  });
  CHECK(states == std::set<Files>{{}, {{"/d/f", "x"}}});
}

TEST_CASE("power cut: the same seed gives the same state", "[storage]") {
  const auto state_of = [](std::uint64_t seed) {
    MemoryFileSystem files;
    for (const char* path : {"/a", "/b", "/c"}) {
      const auto file = files.create(path).value();
      REQUIRE(file->append(std::string(9000, *(path + 1))));
    }
    SeededRandom random(seed);
    files.power_cut(random);
    return files.files();
  };
  std::set<Files> states;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CHECK(state_of(seed) == state_of(seed));
    states.insert(state_of(seed));
  }
  CHECK(states.size() > 10);
}

TEST_CASE("kill: keeps what was written and ends handles and locks", "[storage]") {
  MemoryFileSystem files;
  const auto writer = files.create("/f").value();
  REQUIRE(writer->append("abc"));
  const auto reader = files.open("/f").value();
  const auto lock = files.lock("/lock", "first").value();
  files.kill();
  CHECK(files.files() == Files{{"/f", "abc"}, {"/lock", "first"}});
  char byte = 0;
  CHECK_FALSE(writer->append("d"));
  CHECK_FALSE(writer->sync());
  CHECK_FALSE(reader->read_at(0, &byte, 1));
  auto second = files.lock("/lock", "second");
  CHECK(second);
  CHECK_FALSE(files.lock("/lock", "third"));
}

TEST_CASE("kill: a lock of the life before does not free the one of the next", "[storage]") {
  MemoryFileSystem files;
  auto old = files.lock("/lock", "first").value();
  files.kill();
  const auto held = files.lock("/lock", "second").value();
  old.reset();
  CHECK_FALSE(files.lock("/lock", "third"));
}

TEST_CASE("fault: the step fails once, an append after half of its bytes", "[storage]") {
  MemoryFileSystem files;
  const auto file = files.create("/f").value();
  files.fail_call(files.steps() + 1, {.code = ErrorCode::store_full, .message = "injected"});
  CHECK(file->append("abcd").error().code == ErrorCode::store_full);
  CHECK(files.read_all("/f", 100).value() == "ab");
  CHECK(file->append("cd"));
  CHECK(files.read_all("/f", 100).value() == "abcd");
}

TEST_CASE("steps: are counted and told before they happen", "[storage]") {
  MemoryFileSystem files;
  std::vector<std::string> told;
  files.before_step([&](const sim::StorageStep& step) {
    told.push_back(std::to_string(step.number) + " " + std::string(step.what) + " " + step.path);
    if (step.what == "create") CHECK_FALSE(files.exists(step.path).value());
  });
  write_file(files, "/f", "x");
  CHECK(files.exists("/f").value());  // reading is no step
  CHECK(told == std::vector<std::string>{"1 create /f", "2 append /f", "3 sync /f", "4 close /f"});
  CHECK(files.steps() == 4);
}

TEST_CASE("flipped bit: is seen by readers and survives", "[storage]") {
  MemoryFileSystem files;
  write_file(files, "/f", "abc");
  REQUIRE(files.sync_directory("/"));
  CHECK(files.flip_bit("/f", 1, 0));
  CHECK_FALSE(files.flip_bit("/f", 3, 0));
  CHECK_FALSE(files.flip_bit("/g", 0, 0));
  SeededRandom random(1);
  files.power_cut(random);
  CHECK(files.read_all("/f", 100).value() == "acc");
}

}  // namespace
}  // namespace streamrun
