#include <streamrun/connectors/file/file_source.h>

#include <algorithm>
#include <chrono>

#include "sim/memory_file_system.h"
#include "temporary_folder.h"

namespace streamrun::test {
namespace {

static_assert(SourceOf<FileSource, std::string>);

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> read_all(World& world, const FileSource& source, int parallelism) {
  SourceRun<std::string> run(world, source, parallelism);
  run.run_to_end();
  REQUIRE_FALSE(run.failure);
  return run.lines();
}

/// Lines of 0 to 24 bytes, each different, and how they look in a file.
struct Text {
  explicit Text(int count) {
    for (int i = 0; i < count; ++i) {
      lines.push_back(
          i == 7 ? "" : std::to_string(i) + std::string(static_cast<std::size_t>(i * 5 % 23), 'x'));
      bytes += lines.back() + (i % 3 == 1 ? "\r\n" : "\n");
    }
  }
  std::vector<std::string> lines;
  std::string bytes;
};

TEST_CASE("file source: splits of any size hold each line once", "[connectors]") {
  const TemporaryFolder folder;
  Text text(40);
  SECTION("the last line ends with a newline") {}
  SECTION("the last line ends with the file") {
    text.bytes += "the end";
    text.lines.emplace_back("the end");
  }
  SECTION("empty lines stand at both ends") {
    text.bytes = "\n" + text.bytes + "\n\n";
    text.lines.insert(text.lines.begin(), "");
    text.lines.insert(text.lines.end(), 2, "");
  }
  folder.write("in", text.bytes);
  for (std::uint64_t split_bytes = 1; split_bytes <= text.bytes.size() + 1; ++split_bytes) {
    LocalWorld world(split_bytes);
    const FileSource source{
        .paths = {folder.at("in")}, .split_bytes = split_bytes, .block_bytes = 64};
    INFO("splits of " << split_bytes << " bytes");
    REQUIRE(sorted(read_all(world, source, 3)) == sorted(text.lines));
  }
}

TEST_CASE("file source: one reader emits the lines of a file in order, whatever a block's size",
          "[connectors]") {
  const TemporaryFolder folder;
  const Text text(60);
  folder.write("in", text.bytes);
  for (std::uint64_t block_bytes = 1; block_bytes <= text.bytes.size() + 1; ++block_bytes) {
    LocalWorld world(block_bytes);
    const FileSource source{.paths = {folder.at("in")}, .block_bytes = block_bytes};
    INFO("blocks of " << block_bytes << " bytes");
    REQUIRE(read_all(world, source, 1) == text.lines);
  }
}

TEST_CASE("file source: a poll emits one block at most", "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in", "1\n2\n3\n4\n");
  LocalWorld world;
  SourceRun<std::string> run(world, FileSource{.paths = {folder.at("in")}, .block_bytes = 4}, 1);
  world.settle();
  CHECK(run.poll(0) == SourceStatus::more);
  CHECK(run.lines() == std::vector<std::string>{"1", "2"});
  world.settle();
  CHECK(run.poll(0) == SourceStatus::more);
  CHECK(run.lines().size() == 4);
  CHECK(run.poll(0) == SourceStatus::ended);
}

TEST_CASE("file source: where reading takes waiting two blocks are read ahead and no more",
          "[connectors]") {
  World world;
  auto store = std::make_unique<sim::MemoryFileSystem>();  // it never answers at once
  const std::unique_ptr<WritableFile> file = value_or_throw(store->create("/in"));
  CHECK(file->append(std::string(1000, '\n')));
  CHECK(file->close());
  world.stores.add("file", std::move(store));
  SourceRun<std::string> run(world, FileSource{.paths = {"/in"}, .block_bytes = 100}, 1);
  world.settle();
  CHECK(run.lines().empty());
  run.poll(0);
  CHECK(run.lines().size() == 100);
  CHECK(world.io.waiting() == 1);  // one is there, its successor is asked for
  CHECK(run.reader(0).backlog_bytes() == 900);
}

TEST_CASE("file source: what is in memory is read without another thread, once the file is open",
          "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in", std::string(1000, '\n'));
  LocalWorld world;
  SourceRun<std::string> run(world, FileSource{.paths = {folder.at("in")}, .block_bytes = 100}, 1);
  world.settle();
  for (std::size_t lines = 100; lines <= 1000; lines += 100) {
    run.poll(0);
    CHECK(run.lines().size() == lines);
    CHECK(world.io.waiting() == 0);
    CHECK(run.reader(0).backlog_bytes() == 1000 - lines);
  }
  world.settle();
  CHECK(run.poll(0) == SourceStatus::ended);
}

TEST_CASE("file source: a line may be far longer than a block", "[connectors]") {
  const TemporaryFolder folder;
  const std::string line(100'000, 'y');
  folder.write("in", "a\n" + line + "\nb\n");
  LocalWorld world;
  const FileSource source{.paths = {folder.at("in")}, .split_bytes = 1000, .block_bytes = 64};
  CHECK(sorted(read_all(world, source, 2)) == std::vector<std::string>{"a", "b", line});
}

TEST_CASE("file source: a line above the limit fails the job, with file and offset",
          "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in", "a\n" + std::string(100'000, 'y') + "\n");
  LocalWorld world;
  const FileSource source{.paths = {folder.at("in")}, .block_bytes = 64, .max_line_bytes = 10'000};
  SourceRun<std::string> run(world, source, 1);
  try {
    run.run_to_end();
    FAIL("the line is too long");
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().headline() == "E-STORE-IO: a line of the input is longer than 9.8KiB (" +
                                           folder.at("in") + ", near offset 64)");
  }
}

TEST_CASE("file source: empty files and a thousand small ones are read", "[connectors]") {
  const TemporaryFolder folder;
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "in/" + std::to_string(i % 7) + "/" + std::to_string(i);
    folder.write(name, i % 10 == 0 ? "" : std::to_string(i) + "\n");
    if (i % 10 != 0) expected.push_back(std::to_string(i));
  }
  LocalWorld world;
  CHECK(sorted(read_all(world, FileSource{.paths = {folder.at("in")}}, 2)) == sorted(expected));
}

TEST_CASE("file source: small splits are asked for ahead, large ones one at a time",
          "[connectors]") {
  const TemporaryFolder folder;
  for (int i = 0; i < 9; ++i) folder.write("in/" + std::to_string(i), "line\n");
  LocalWorld world;
  SECTION("small") {
    SourceRun<std::string> run(world, FileSource{.paths = {folder.at("in")}}, 1);
    world.settle();
    CHECK(run.snapshot().splits.size() == 6);  // two are read, four wait
  }
  SECTION("large") {
    SourceRun<std::string> run(world, FileSource{.paths = {folder.at("in")}, .block_bytes = 1}, 1);
    world.settle();
    CHECK(run.snapshot().splits.size() == 1);
  }
}

TEST_CASE("file source: watching finds files that come, and reads each path once", "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in/a", "1\n");
  LocalWorld world;
  const FileSource source{
      .paths = {folder.at("in")}, .watch = true, .watch_interval = std::chrono::seconds(5)};
  const auto settle = [&](SourceRun<std::string>& run) {
    for (int i = 0; i < 200; ++i) run.step();
    world.settle();
  };
  const auto look_again = [&](SourceRun<std::string>& run) {
    REQUIRE(run.enumerator().next_deadline());
    world.clock.time += std::chrono::seconds(5);
    REQUIRE(*run.enumerator().next_deadline() <= world.clock.now());
    run.enumerator().on_time();
    settle(run);
  };
  SourceRun<std::string> run(world, source, 2);
  settle(run);
  CHECK(run.lines() == std::vector<std::string>{"1"});
  CHECK_FALSE(run.ended());

  folder.write("in/a", "1\nmore\n");
  folder.write("in/b", "2\n");
  look_again(run);
  CHECK(run.lines() == std::vector<std::string>{"1", "2"});

  SECTION("also after a restore") {
    SourceRun<std::string> restored(world, source, 1, run.snapshot());
    folder.write("in/c", "3\n");
    settle(restored);
    CHECK(restored.lines() == std::vector<std::string>{"3"});
  }
  SECTION("early calls look for nothing") {
    folder.write("in/c", "3\n");
    run.enumerator().on_time();
    settle(run);
    CHECK(run.lines().size() == 2);
  }
}

TEST_CASE("file source: once nobody watches any more, files that came meanwhile are read, once",
          "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in/a", "1\n");
  LocalWorld first;
  SourceRun<std::string> watching(first, FileSource{.paths = {folder.at("in")}, .watch = true}, 1);
  for (int i = 0; i < 200; ++i) watching.step();
  REQUIRE(watching.lines() == std::vector<std::string>{"1"});
  const FileSource source{.paths = {folder.at("in")}};
  LocalWorld second;
  LocalWorld third;
  SECTION("files that came") {
    folder.write("in/b", "2\n");
    SourceRun<std::string> run(second, source, 1, watching.snapshot());
    // It has not looked yet.
    SourceRun<std::string> again(third, source, 1, run.snapshot());
    for (SourceRun<std::string>* each : {&run, &again}) {
      each->run_to_end();
      CHECK(each->lines() == std::vector<std::string>{"2"});
      CHECK_FALSE(each->failure);
    }
    folder.write("in/c", "3\n");
    LocalWorld fourth;
    SourceRun<std::string> after(fourth, source, 1, run.snapshot());
    after.run_to_end();
    CHECK(after.lines().empty());
  }
  SECTION("none, and what was read is gone") {
    std::filesystem::remove(folder.at("in/a"));
    SourceRun<std::string> run(second, source, 1, watching.snapshot());
    run.run_to_end();
    CHECK(run.lines().empty());
    CHECK_FALSE(run.failure);
  }
}

TEST_CASE("file source: a second name of a file that was read is never read", "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in/a", "1\n");
  std::filesystem::create_hard_link(folder.at("in/a"), folder.at("in/b"));
  LocalWorld world;
  SourceRun<std::string> run(world, FileSource{.paths = {folder.at("in")}, .watch = true}, 1);
  for (int i = 0; i < 200; ++i) run.step();
  std::filesystem::remove(folder.at("in/a"));
  world.clock.time += std::chrono::seconds(1);
  run.enumerator().on_time();
  for (int i = 0; i < 200; ++i) run.step();
  CHECK(run.lines() == std::vector<std::string>{"1"});
}

TEST_CASE("file source: an enumerator that is gone ignores the listing it asked for",
          "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in", "1\n");
  LocalWorld world;
  { const SourceRun<std::string> run(world, FileSource{.paths = {folder.at("in")}}, 1); }
  world.mail.clear();  // to the reader, whose context would not deliver it either
  world.settle();
  CHECK(world.mail.empty());
}

TEST_CASE("file source: nonsense in the description is refused", "[connectors]") {
  CHECK_THROWS_AS(FileSource{}.make_reader(), ErrorException);
  CHECK_THROWS_AS((FileSource{.paths = {"a"}, .split_bytes = 0}.make_enumerator()), ErrorException);
}

}  // namespace
}  // namespace streamrun::test
