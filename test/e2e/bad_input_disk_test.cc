// Disks that are full, read-only or broken, and locks that a store refuses: what a run answers, and
// that an earlier checkpoint still resumes. Calls fail by the shim (bad_disk_shim.cc).
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/bad_input_world.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string input;
  std::string rules;  ///< of the shim
  std::vector<std::string> settings;
  Answer answer;
};

const std::vector<std::string> kNoRestart = {"-D", "restart-strategy.type=none"};
const std::vector<std::string> kTolerant = {
    "-D", "restart-strategy.type=none", "-D",
    "execution.checkpointing.tolerable-failed-checkpoints=1000000"};

/// Runs that resume the newest checkpoint.
const std::vector<Row>& rows_of_checkpoints() {
  static const std::vector<Row> kRows = {
      {"full at the start", "mkdir:/ckpt/:ENOSPC", {}, {74, "E-STORE-FULL", "No space left"}},
      {"over quota at the start", "create:/ckpt/:EDQUOT", {}, {74, "E-STORE-FULL", "quota"}},
      {"read-only at the start", "mkdir:/ckpt/:EROFS", {}, {73, "E-STORE-RO", "Read-only"}},
      {"no locks", "flock:/ckpt/:ENOLCK", {}, {75, "E-LOCK", "cannot lock"}},
      {"full during the run", "write:/chk-:ENOSPC:2", kNoRestart, {74, "E-STORE-FULL", "No space"}},
      {"over quota during the run",
       "write:/chk-:EDQUOT:2",
       kNoRestart,
       {74, "E-STORE-FULL", "quota"}},
      {"full where a checkpoint begins",
       "mkdir:/chk-:ENOSPC:2",
       kNoRestart,
       {74, "E-STORE-FULL", "No space"}},
      {"full where _metadata is written",
       "create:/._metadata:ENOSPC:2",
       kNoRestart,
       {74, "E-STORE-FULL", "No space"}},
      {"read-only during the run",
       "mkdir:/chk-:EROFS:2",
       kNoRestart,
       {73, "E-STORE-RO", "can no longer be stored"}},
      {"no file descriptors left",
       "create:/chk-:EMFILE:2",
       kNoRestart,
       {74, "E-STORE-IO", "Too many open files"}},
      {"a write that fails", "write:/chk-:EIO:2", kNoRestart, {74, "E-STORE-IO", "Input/output"}},
      {"a close that fails", "close:/chk-:EIO:5", kNoRestart, {74, "E-STORE-IO", "close the file"}},
      {"a sync that fails", "fsync:/chk-:EIO:9", kNoRestart, {74, "E-STORE-FSYNC", "durable"}},
      {"syncs that fail, however many are tolerable",
       "fsync:/chk-:EIO:9",
       kTolerant,
       {74, "E-STORE-FSYNC", "durable"}},
      {"a rename that fails",
       "rename:/_metadata:EIO:2",
       kNoRestart,
       {74, "E-STORE-IO", "Input/output"}},
      {"a checkpoint in doubt: neither durable nor to be withdrawn",
       "fsync:/chk-:EIO:6;unlink:/_metadata:EIO",
       {},
       {74, "E-STORE-FATAL", "nor remove it again"}},
  };
  return kRows;
}

/// Runs over the whole input, from nothing, into another folder.
const std::vector<Row>& rows_of_output() {
  static const std::vector<Row> kRows = {
      {"full", "write:/.part-:ENOSPC", kNoRestart, {74, "E-STORE-FULL", "No space left"}},
      {"over quota", "write:/.part-:EDQUOT", kNoRestart, {74, "E-STORE-FULL", "quota"}},
      {"read-only", "create:/.part-:EROFS", kNoRestart, {73, "E-STORE-RO", "Read-only"}},
      {"a write that fails", "write:/.part-:EIO", kNoRestart, {74, "E-STORE-IO", "Input/output"}},
      {"a sync that fails", "fsync:/.part-:EIO", kNoRestart, {74, "E-STORE-FSYNC", "durable"}},
      {"a rename that fails", "rename:/part-:EIO", kNoRestart, {74, "E-STORE-IO", "rename"}},
  };
  return kRows;
}

const World& world() {
  static const World kWorld;
  return kWorld;
}

std::map<std::string, std::string> environment_of(const Row& row) {
  return {{"LD_PRELOAD", STREAMRUN_BAD_DISK_SHIM}, {"BAD_DISK", row.rules}};
}

bool wait_until(const std::function<bool()>& is_so) {
  for (int i = 0; i < 2000; ++i) {
    if (is_so()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code ended;  // the run adds and removes while this reads
  for (fs::directory_iterator at(folder, ended), end; !ended && at != end; at.increment(ended))
    entries.push_back(at->path());
  return entries;
}

/// The folders `chk-N` of every job, with their numbers.
std::map<int, fs::path> checkpoint_folders() {
  std::map<int, fs::path> folders;
  for (const fs::path& job : entries_of(world().folder().at("ckpt"))) {
    for (const fs::path& each : entries_of(job)) {
      const std::string name = each.filename();
      if (name.starts_with("chk-"))
        folders.emplace(std::stoi(name.substr(std::strlen("chk-"))), each);
    }
  }
  return folders;
}

/// Whether a checkpoint with this number or a higher one is complete.
bool has_complete_from(int number) {
  const auto folders = checkpoint_folders();
  return std::any_of(folders.lower_bound(number), folders.end(),
                     [](const auto& each) { return fs::exists(each.second / "_metadata"); });
}

}  // namespace

TEST_CASE("bad disk: below the checkpoints of a run", "[bad]") {
  for (const Row& row : rows_of_checkpoints()) {
    INFO(row.input);
    world().reset();
    const auto before = world().contents();
    std::vector<std::string> flags = {"--stop-after", "1s", "-s", world().newest()};
    flags.insert(flags.end(), row.settings.begin(), row.settings.end());
    check_answer(world().run_with(flags, {}, environment_of(row)), row.answer);
    check_nothing_lost(world(), before);
  }
}

TEST_CASE("bad disk: a store without locks is no sign of life", "[bad]") {
  const Row row{"", "flock:/ckpt/:ENOLCK", {}, {75, "E-LOCK", "cannot lock the folder"}};
  const std::vector<std::vector<std::string>> from = {{"-s", world().newest()},
                                                      {"-s", "latest", "wordcount"}};
  for (const std::vector<std::string>& flags : from) {
    INFO(flags.back());
    world().reset();
    const auto before = world().contents();
    const Outcome outcome = world().run_with(flags, {}, environment_of(row));
    check_answer(outcome, row.answer);
    CHECK(outcome.err.find("still alive") == std::string::npos);
    CHECK(outcome.err.find("(" + world().folder().at("ckpt") + "/") != std::string::npos);
    CHECK(outcome.err.find("  try: put the folder on a file system with locks") !=
          std::string::npos);
    check_nothing_lost(world(), before);
  }
}

TEST_CASE("bad disk: below the output of a run", "[bad]") {
  for (const Row& row : rows_of_output()) {
    INFO(row.input);
    world().reset();
    const auto before = world().contents();
    const Outcome outcome = world().run_with(
        row.settings, {"wordcount", "--input", "in", "--output", "out2"}, environment_of(row));
    check_answer(outcome, row.answer);
    for (const auto& entry : fs::directory_iterator(world().folder().at("out2"))) {
      CHECK(entry.path().filename().string().starts_with("."));
    }
    check_nothing_lost(world(), before);
  }
}

TEST_CASE("bad disk: metadata that can't be read is an error of the disk", "[bad]") {
  world().reset();
  const auto before = world().contents();
  const Row row{"", "read:/_metadata:EIO", {}, {74, "E-STORE-IO", "cannot read the file"}};
  check_answer(world().run_with({"-s", world().newest()}, {}, environment_of(row)), row.answer);
  CHECK((world().contents() == before));
}

TEST_CASE("bad disk: a state file that can't be read is damage, at once", "[bad]") {
  world().reset();
  const auto before = world().contents();
  const std::string name = fs::path(world().state_file()).filename().string();
  const Row row{"", "read:/" + name + ":EIO", {}, {65, "E-STATE-CORRUPT", "Input/output error"}};
  const Outcome outcome = world().run_with({"-s", world().newest()}, {}, environment_of(row));
  check_answer(outcome, row.answer);
  CHECK(outcome.err.find("RESTARTING") == std::string::npos);
  CHECK(outcome.err.find("(" + world().state_file() + ")") != std::string::npos);
  check_nothing_lost(world(), before);
}

TEST_CASE("bad disk: checkpoints that go on failing end the job, not what it had", "[bad]") {
  world().reset();
  const auto before = world().contents();
  // Some checkpoints of the run are complete before the disk is full.
  const Row row{
      "", "create:/._metadata:ENOSPC:4", kNoRestart, {74, "E-STORE-FULL", "go on with: "}};
  check_answer(world().run_with({"-D", "restart-strategy.type=none", "--stop-after", "5s", "-s",
                                 world().newest()},
                                {}, environment_of(row)),
               row.answer);
  const Outcome latest =
      world().folder().streamrun({"list-checkpoints", "--dir", "ckpt", "--latest"});
  CHECK(latest.status == 0);
  CHECK(latest.out != world().newest() + "\n");
  CHECK(world().run_with({"--stop-after", "50ms", "-s", "latest", "wordcount"}).status == 0);
  check_nothing_lost(world(), before);
}

TEST_CASE("checkpoints that somebody deletes while the job runs: it takes new ones", "[bad]") {
  world().reset();
  fs::remove_all(world().folder().at("ckpt"));
  fs::create_directory(world().folder().at("ckpt"));
  std::vector<std::string> arguments = {"run"};
  arguments.insert(arguments.end(), World::settings().begin(), World::settings().end());
  for (const char* each : {"wordcount", "--watch", "--input", "in", "--output", "out2"})
    arguments.emplace_back(each);
  Process running({.program = STREAMRUN_BINARY,
                   .arguments = arguments,
                   .working_directory = world().folder().path()});
  REQUIRE(wait_until([] { return has_complete_from(1); }));
  const auto deleted = checkpoint_folders();
  for (const auto& [number, folder] : deleted) {
    std::error_code ignored;  // it goes on writing there
    fs::remove_all(folder, ignored);
  }
  // One of them may have been in progress, which restarts the job: it has done so when a later one
  // than what could be in progress meanwhile is complete.
  const int beyond = deleted.rbegin()->first + 2;
  REQUIRE(wait_until([&] { return has_complete_from(beyond); }));
  running.kill(SIGTERM);
  const Outcome outcome = running.wait();
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(world().run_with({"--stop-after", "50ms", "-s", "latest", "wordcount"}).status == 0);
}

}  // namespace streamrun::test
