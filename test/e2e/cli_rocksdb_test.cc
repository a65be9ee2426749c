// The rocksdb state backend with the real binary: its runs are killed, go on on either backend, and
// leave nothing behind.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// `run` of checkpointdemo on a backend, with so little memory that most of its state is on the
/// disk.
Arguments run_on(const std::string& backend, const Arguments& flags, const std::string& rate,
                 const std::string& parallelism = "2", bool incremental = false) {
  Arguments arguments = {"run", "-p", parallelism};
  for (const std::string& setting :
       {"state.backend.type=" + backend,
        std::string("execution.checkpointing.incremental=") + (incremental ? "true" : "false"),
        std::string("execution.checkpointing.interval=100ms"),
        std::string("execution.checkpointing.min-pause=0ms"),
        std::string("state.backend.rocksdb.localdir=local"),
        std::string("taskmanager.memory.managed.size=8mb")}) {
    arguments.insert(arguments.end(), {"-D", setting});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"checkpointdemo", "--thermometers", "100000", "--count",
                                     "400000", "--rate", rate, "--output", "out"});
  return arguments;
}

/// Runs it until `text` was said, then sends the signal.
Outcome end_at(const Folder& folder, const Arguments& arguments, const std::string& text,
               int signal) {
  Process process(
      {.program = STREAMRUN_BINARY, .arguments = arguments, .working_directory = folder.path()});
  const bool said = process.wait_for_err(text, 60s);
  process.kill(signal);
  Outcome outcome = process.wait(60s);
  INFO(outcome.err);
  REQUIRE(said);
  return outcome;
}

std::vector<std::string> rows(const std::string& output) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(output)) {
    if (entry.path().filename().string().starts_with(".")) continue;
    std::ifstream part(entry.path());
    for (std::string line; std::getline(part, line);) lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::size_t entries_of(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// The output is that of a run that nobody disturbed, and no database is left.
void check_whole(const Folder& folder) {
  CHECK(entries_of(folder.at("local")) == 0);
  const Folder undisturbed;
  REQUIRE(undisturbed.streamrun(run_on("hashmap", {}, "0")).status == 0);
  CHECK((rows(folder.at("out")) == rows(undisturbed.at("out"))));
}

}  // namespace

TEST_CASE("run: state in RocksDB survives kill -9, and either backend goes on from the other's",
          "[cli]") {
  const Folder folder;
  const std::string slow = "100000";
  const Outcome killed = end_at(folder, run_on("rocksdb", {}, slow), "chk-5 done", SIGKILL);
  REQUIRE(killed.signal == SIGKILL);
  CHECK(contains(killed.err, "  state rocksdb  "));
  CHECK(entries_of(folder.at("local")) == 1);

  // From its checkpoint in memory; that ends with a savepoint.
  const Arguments to_savepoint = {"-s", "latest", "-D", "state.savepoints.dir=sp"};
  const Outcome in_memory = end_at(folder, run_on("hashmap", to_savepoint, slow), " done", SIGTERM);
  CHECK(contains(in_memory.err, "  state hashmap  "));
  CHECK(contains(in_memory.err, "sp/savepoint-"));

  // From that on the disk, which removes what the killed one left there, and again.
  const Outcome on_disk = end_at(folder, run_on("rocksdb", to_savepoint, slow), " done", SIGTERM);
  CHECK(contains(on_disk.err, "sp/savepoint-"));
  CHECK(entries_of(folder.at("local")) == 0);
  const Outcome again = end_at(folder, run_on("hashmap", to_savepoint, slow), " done", SIGTERM);
  INFO(again.err);

  const Outcome finished = folder.streamrun(run_on("rocksdb", {"-s", "latest"}, "0", "3"));
  INFO(finished.err);
  REQUIRE(finished.status == 0);
  check_whole(folder);
}

TEST_CASE("run: incremental checkpoints on RocksDB survive kill -9 and go on at any parallelism",
          "[cli]") {
  const Folder folder;
  const std::string slow = "40000";
  const auto on_disk = [&](const Arguments& flags, const std::string& rate,
                           const std::string& parallelism) {
    return run_on("rocksdb", flags, rate, parallelism, true);
  };
  const Arguments resumed = {"-s", "latest"};
  const Outcome killed = end_at(folder, on_disk({}, slow, "2"), "chk-5 done", SIGKILL);
  REQUIRE(killed.signal == SIGKILL);
  const Outcome latest = folder.streamrun({"list-checkpoints", "--dir", "ckpt", "--latest"});
  REQUIRE(latest.status == 0);
  const std::string newest = latest.out.substr(0, latest.out.size() - 1);
  CHECK(folder.streamrun({"verify", "--data", newest}).status == 0);
  const Outcome values = folder.streamrun({"inspect", newest, "--state", "highest/readings"});
  INFO(values.err);
  CHECK(values.status == 0);
  CHECK(contains(values.out, "{\"key\":"));

  const Outcome in_memory = folder.streamrun(run_on("hashmap", resumed, slow));
  INFO(in_memory.err);
  CHECK(in_memory.status == 76);
  CHECK(contains(in_memory.err, "E-JOB-MISMATCH: the state lies in files of RocksDB"));
  CHECK(contains(in_memory.err, "try: streamrun run -D state.backend.type=rocksdb -s "));

  const Outcome same = end_at(folder, on_disk(resumed, slow, "2"), "chk-8 done", SIGKILL);
  REQUIRE(same.signal == SIGKILL);
  const Outcome other = end_at(folder, on_disk(resumed, slow, "3"), "chk-11 done", SIGKILL);
  REQUIRE(other.signal == SIGKILL);
  const Outcome finished = folder.streamrun(on_disk(resumed, "0", "1"));
  INFO(finished.err);
  REQUIRE(finished.status == 0);
  check_whole(folder);
}

TEST_CASE("run: what makes no sense for RocksDB is E-CONF, and a folder that can't be is told",
          "[cli]") {
  const Folder folder;
  const auto with = [&](const std::string& setting) {
    return folder.streamrun({"run", "-D", "state.backend.type=rocksdb", "-D", setting,
                             "--stop-after", "1ms", "statemachine", "--output", "out"});
  };
  for (const std::string setting :
       {"state.backend.rocksdb.memory.write-buffer-ratio=1.5",
        "state.backend.rocksdb.compression.per.level=XPRESS", "taskmanager.memory.managed.size=1mb",
        "state.backend.rocksdb.compaction.style=FIFO", "state.backend.rocksdb.thread.num=0"}) {
    const Outcome outcome = with(setting);
    INFO(setting << ": " << outcome.err);
    CHECK(outcome.status == 78);
    CHECK(contains(outcome.err, "E-CONF: " + setting.substr(0, setting.find('='))));
  }
  folder.write("file", "not a folder");
  const Outcome outcome = with("state.backend.rocksdb.localdir=file/db");
  INFO(outcome.err);
  CHECK(outcome.status != 0);
  CHECK(contains(outcome.err, folder.at("file")));
}

}  // namespace streamrun::test
