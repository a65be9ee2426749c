#include <streamrun/connectors/file/file_source.h>

#include <algorithm>
#include <chrono>

#include "temporary_folder.h"

namespace streamrun::test {
namespace {

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + "\n";
  return text;
}

std::vector<std::string> expected_lines(int count) {
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) lines.push_back(std::to_string(i));
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> together(std::vector<std::string> before,
                                  const std::vector<std::string>& after) {
  before.insert(before.end(), after.begin(), after.end());
  std::sort(before.begin(), before.end());
  return before;
}

TEST_CASE("file source: a snapshot at any moment and a restore give each line once",
          "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in/1", numbered_lines(150));
  const FileSource source{.paths = {folder.at("in")}, .split_bytes = 200, .block_bytes = 16};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    LocalWorld world(seed);
    INFO("seed " << seed);
    SourceRun<std::string> run(world, source, 2);
    const std::uint64_t steps = world.random.below(400);
    for (std::uint64_t i = 0; i < steps; ++i) run.step();
    const SourceState state = run.snapshot();
    const std::vector<std::string> before = run.lines();

    LocalWorld next_world(seed + 1000);
    SourceRun<std::string> next(next_world, source, 1 + static_cast<int>(seed % 3), state);
    next.run_to_end();
    REQUIRE_FALSE(next.failure);
    REQUIRE(together(before, next.lines()) == expected_lines(150));
  }
}

TEST_CASE("file source: a restore after every block goes on with the next line", "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in", numbered_lines(100));
  const FileSource source{.paths = {folder.at("in")}, .block_bytes = 7};
  LocalWorld world;
  SourceRun<std::string> run(world, source, 1);
  while (!run.ended()) {
    world.settle();
    run.poll(0);
    const SourceState state = run.snapshot();
    LocalWorld next_world;
    SourceRun<std::string> next(next_world, source, 1, state);
    next.run_to_end();
    REQUIRE(together(run.lines(), next.lines()) == expected_lines(100));
  }
}

/// A run that was stopped in the middle of its only file.
class StoppedRun {
 public:
  StoppedRun() {
    folder.write("in", numbered_lines(100));
    SourceRun<std::string> run(world, source(), 1);
    world.settle();
    run.poll(0);
    state = run.snapshot();
    lines = run.lines();
    REQUIRE(state.splits.size() == 1);
  }
  FileSource source() const { return {.paths = {folder.at("in")}, .block_bytes = 50}; }
  /// The error of going on, or nothing.
  std::string go_on() {
    try {
      SourceRun<std::string> run(next_world, source(), 1, state);
      run.run_to_end();
      lines = together(lines, run.lines());
      return run.failure ? run.failure->headline() : "";
    } catch (const ErrorException& thrown) {
      return thrown.error().headline();
    }
  }

  TemporaryFolder folder;
  LocalWorld world;
  LocalWorld next_world;
  SourceState state;
  std::vector<std::string> lines;
};

TEST_CASE("file source: a file that is gone at a restore is lost", "[connectors]") {
  StoppedRun run;
  std::filesystem::remove(run.folder.at("in"));
  CHECK(run.go_on() == "E-SOURCE-LOST: the input file is gone (" + run.folder.at("in") + ")");
}

TEST_CASE("file source: a file that is shorter at a restore is lost", "[connectors]") {
  StoppedRun run;
  std::filesystem::resize_file(run.folder.at("in"), 200);
  CHECK(run.go_on() == "E-SOURCE-LOST: the input file has only 200 bytes left of 290 (" +
                           run.folder.at("in") + ")");
}

TEST_CASE("file source: of a file that has grown the old part is read, with a warning",
          "[connectors]") {
  StoppedRun run;
  run.folder.write("in", numbered_lines(100) + "new\n");
  CHECK(run.go_on().empty());
  CHECK(run.lines == expected_lines(100));
  REQUIRE(run.next_world.log.warnings.size() == 1);
  CHECK(run.next_world.log.warnings[0].find("has grown from 290 to 294 bytes") !=
        std::string::npos);
}

TEST_CASE("file source: a file of another date and the same size is read on, with a warning",
          "[connectors]") {
  StoppedRun run;
  std::filesystem::last_write_time(
      run.folder.at("in"), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(run.go_on().empty());
  CHECK(run.lines == expected_lines(100));
  CHECK(run.next_world.log.warnings.size() == 1);
}

TEST_CASE("file source: files that came after the snapshot are not read unless watching",
          "[connectors]") {
  StoppedRun run;
  run.folder.write("in2", "new\n");
  CHECK(run.go_on().empty());
  CHECK(run.lines == expected_lines(100));
}

TEST_CASE("file source: watching can end at a restore but not begin", "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in", numbered_lines(10));
  FileSource source{.paths = {folder.path()}};
  LocalWorld world;
  SECTION("begin") {
    SourceRun<std::string> run(world, source, 1);
    run.run_to_end();
    source.watch = true;
    const SourceRun<std::string> next(world, source, 1, run.snapshot());
    REQUIRE(next.failure);
    CHECK(next.failure->code == ErrorCode::job_mismatch);
  }
  SECTION("end") {
    source.watch = true;
    SourceRun<std::string> run(world, source, 1);
    world.settle();
    source.watch = false;
    SourceRun<std::string> next(world, source, 1, run.snapshot());
    next.run_to_end();
    CHECK(together(run.lines(), next.lines()) == expected_lines(10));
  }
}

TEST_CASE("file source: damaged state is an error, wherever it is cut or flipped", "[connectors]") {
  StoppedRun run;
  const std::string split = run.state.splits[0];
  for (std::size_t length = 0; length < split.size(); ++length) {
    run.state.splits[0] = split.substr(0, length);
    REQUIRE(run.go_on().starts_with("E-STATE-CORRUPT"));
  }
  run.state.splits[0] = split + "x";
  CHECK(run.go_on().starts_with("E-STATE-CORRUPT"));
  run.state.splits[0] = split;
  const std::string enumerator = run.state.enumerator;
  for (std::size_t length = 1; length < enumerator.size(); ++length) {
    run.state.enumerator = enumerator.substr(0, length);
    REQUIRE(run.go_on().starts_with("E-STATE-CORRUPT"));
  }
}

TEST_CASE("file source: what is left to read is checked before a run, from nothing or a snapshot",
          "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in/1", numbered_lines(100));
  folder.write("in/2", numbered_lines(100));
  const FileSource source{.paths = {folder.at("in")}, .block_bytes = 16};
  LocalWorld world;
  const auto check = [&](const SourceState& state) {
    const Result<void> checked =
        source.check_input(world.stores, "/", state.enumerator, state.splits);
    return checked ? std::string() : std::string(info_of(checked.error().code).text);
  };
  CHECK(check({}).empty());
  SourceRun<std::string> run(world, source, 1);
  while (run.lines().empty()) run.step();
  const SourceState state = run.snapshot();
  CHECK(check(state).empty());
  SourceRun<std::string> whole(world, source, 1);
  whole.run_to_end();
  std::filesystem::rename(folder.at("in"), folder.at("moved"));
  CHECK(check({}) == "E-PATH");
  CHECK(check(state) == "E-SOURCE-LOST");
  CHECK(check(whole.snapshot()).empty());  // nothing is left to be read
}

}  // namespace
}  // namespace streamrun::test
