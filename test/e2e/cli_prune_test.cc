// prune over what real runs left.
#include <streamrun/checkpoint/metadata_format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "checkpoint/samples.h"
#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// `run` of checkpointdemo, whose checkpoints are incremental, with the last four kept.
Arguments run_of(const Arguments& flags) {
  Arguments arguments = {"run"};
  for (const char* const setting :
       {"interval=50ms", "min-pause=0ms", "snapshot-compression=false", "num-retained=4"}) {
    arguments.insert(arguments.end(), {"-D", std::string("execution.checkpointing.") + setting});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"checkpointdemo", "--thermometers", "200000", "--count",
                                     "100000000", "--rate", "200000", "--output", "out"});
  return arguments;
}

/// Other tests run jobs of the same name.
std::map<std::string, std::string> environment_of(const Folder& folder) {
  return {{"XDG_STATE_HOME", folder.at("state")}};
}

Process start(const Folder& folder, const Arguments& flags) {
  return Process({.program = STREAMRUN_BINARY,
                  .arguments = run_of(flags),
                  .environment = environment_of(folder),
                  .working_directory = folder.path()});
}

/// Runs it until a checkpoint of that number is done, and kills it.
void killed_run(const Folder& folder, const Arguments& flags, const std::string& last) {
  Process process = start(folder, flags);
  const bool said = process.wait_for_err(last + " done", 60s);
  process.kill(SIGKILL);
  const Outcome outcome = process.wait(60s);
  INFO(outcome.err);
  REQUIRE(said);
}

Outcome prune(const Folder& folder, const Arguments& flags) {
  Arguments arguments = {"prune", "--dir", "ckpt"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return folder.streamrun(arguments, environment_of(folder));
}

std::set<std::string> listed(const Folder& folder) {
  const Outcome outcome = folder.streamrun({"list-checkpoints", "--dir", "ckpt", "--json"});
  REQUIRE(outcome.status == 0);
  std::set<std::string> paths;
  const auto document = nlohmann::json::parse(outcome.out);
  for (const auto& each : document["checkpoints"]) paths.insert(each["path"].get<std::string>());
  return paths;
}

std::set<std::string> files_under(const std::string& path) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.insert(entry.path());
  }
  return files;
}

}  // namespace

TEST_CASE("prune: keeps the newest, says first what goes, and breaks nothing that stays", "[cli]") {
  const Folder folder;
  killed_run(folder, {}, "chk-8");
  const auto before = listed(folder);
  REQUIRE(before.size() >= 4);
  const auto files_before = files_under(folder.at("ckpt"));

  const Outcome dry = prune(folder, {"checkpointdemo", "--keep-last", "2", "--dry-run"});
  REQUIRE(dry.status == 0);
  CHECK(contains(dry.out, "last 2 of 2"));
  CHECK(contains(dry.out, "older than last 2"));
  CHECK(files_under(folder.at("ckpt")) == files_before);

  const Outcome asked = prune(folder, {"--keep-last", "2"});  // nobody is there to answer
  CHECK(asked.status == 64);
  CHECK(contains(asked.err, "--yes"));
  CHECK(files_under(folder.at("ckpt")) == files_before);

  const Outcome done = prune(folder, {"--keep-last", "2", "--yes", "--json"});
  INFO(done.err);
  REQUIRE(done.status == 0);
  const auto document = nlohmann::json::parse(done.out);
  std::size_t removed = 0;
  for (const auto& each : document["checkpoints"]) {
    if (each["action"] == "keep") continue;
    ++removed;
    CHECK(each["removed"] == true);
    CHECK_FALSE(fs::exists(each["path"].get<std::string>()));
  }
  CHECK(removed == before.size() - 2);
  CHECK(document["freed_bytes"] > 0);
  const auto after = listed(folder);
  CHECK(after.size() == 2);
  CHECK(folder.streamrun({"verify", "--all", "--dir", "ckpt", "--data"}).status == 0);
  // Nothing is left to do.
  CHECK(prune(folder, {"--keep-last", "2"}).status == 0);

  Process resumed = start(folder, {"-s", "latest"});
  const bool went_on = resumed.wait_for_err(" done", 60s);
  resumed.kill(SIGKILL);
  const Outcome outcome = resumed.wait(60s);
  INFO(outcome.err);
  CHECK(went_on);
}

TEST_CASE("prune: leaves a living run and what it was resumed from alone", "[cli]") {
  const Folder folder;
  killed_run(folder, {}, "chk-6");
  // Its first checkpoint takes an hour to come.
  Process living = start(folder, {"-s", "latest", "-D", "execution.checkpointing.interval=1h"});
  REQUIRE(living.wait_for_err("RUNNING", 60s));
  const auto files_before = files_under(folder.at("ckpt"));
  const Outcome dry = prune(folder, {"--keep-last", "1", "--dry-run"});
  CHECK(contains(dry.out, "a run that may need it is alive"));
  CHECK_FALSE(contains(dry.out, "remove"));
  CHECK(prune(folder, {"--keep-last", "1", "--yes"}).status == 0);
  CHECK(files_under(folder.at("ckpt")) == files_before);
  living.kill(SIGKILL);
  living.wait(60s);
}

TEST_CASE("prune: leaves a job alone that runs with its checkpoints elsewhere", "[cli]") {
  const Folder folder;
  killed_run(folder, {}, "chk-6");
  const std::string newest = *listed(folder).rbegin();
  Process living = start(folder, {"-s", newest, "-D", "state.checkpoints.dir=elsewhere"});
  REQUIRE(living.wait_for_err("RUNNING", 60s));
  const auto files_before = files_under(folder.at("ckpt"));
  const Outcome done = prune(folder, {"--keep-last", "1", "--yes"});
  CHECK(done.status == 0);
  CHECK(contains(done.out, "elsewhere"));
  CHECK(files_under(folder.at("ckpt")) == files_before);
  living.kill(SIGKILL);
  living.wait(60s);
}

TEST_CASE("prune: a checkpoint that lacks a file is no reason to remove a good one", "[cli]") {
  const Folder folder;
  killed_run(folder, {"-D", "execution.checkpointing.incremental=false"}, "chk-6");
  const auto before = listed(folder);
  std::string newest;
  for (const std::string& path : before)
    if (newest.empty() || fs::last_write_time(path) > fs::last_write_time(newest)) newest = path;
  for (const auto& entry : fs::directory_iterator(newest))
    if (entry.path().filename() != "_metadata") fs::remove(entry.path());
  const Outcome done = prune(folder, {"--keep-last", "1", "--yes"});
  INFO(done.out << done.err);
  CHECK(done.status == 0);
  CHECK(contains(done.err, "1 damaged left alone"));
  CHECK(fs::exists(newest));
  CHECK(listed(folder).size() == 2);
  Process resumed = start(folder, {"-s", "latest", "--fallback"});
  CHECK(resumed.wait_for_err("RUNNING", 60s));
  resumed.kill(SIGKILL);
  resumed.wait(60s);
}

TEST_CASE("prune: a folder that is reached by several names has each checkpoint once", "[cli]") {
  const Folder folder;
  killed_run(folder, {}, "chk-6");
  const std::size_t before = listed(folder).size();
  fs::create_directory_symlink(folder.at("ckpt"), folder.at("link"));
  const std::string job = fs::path(*listed(folder).begin()).parent_path();
  for (const std::string& other : {std::string("ckpt"), std::string("link"), job}) {
    const Outcome dry = prune(folder, {"--dir", other, "--json", "--dry-run"});
    REQUIRE(dry.status == 0);
    CHECK(nlohmann::json::parse(dry.out)["checkpoints"].size() == before);
  }
  CHECK(prune(folder, {"--dir", "ckpt", "--dir", "link", "--keep-last", "1", "--yes"}).status == 0);
  CHECK(listed(folder).size() == 1);
  CHECK(folder.streamrun({"verify", "--all", "--dir", "ckpt", "--data"}).status == 0);
}

TEST_CASE("prune: orphans of dead runs go when they are a day old", "[cli]") {
  const Folder folder;
  killed_run(folder, {}, "chk-4");
  const std::string job = fs::path(*listed(folder).begin()).parent_path();
  const std::string name = std::string(32, 'a') + "-4";
  const std::string orphan = job + "/shared/" + name;
  const std::string young = job + "/shared/" + std::string(32, 'b') + "-4";
  folder.write(fs::relative(orphan, folder.path()), "rest");
  folder.write(fs::relative(young, folder.path()), "rest");
  fs::last_write_time(orphan, fs::file_time_type::clock::now() - 25h);
  CHECK(prune(folder, {"--keep-last", "9", "--yes"}).status == 0);
  CHECK(fs::exists(orphan));
  const Outcome done = prune(folder, {"--keep-last", "9", "--orphans", "--yes"});
  INFO(done.err);
  CHECK(done.status == 0);
  CHECK(contains(done.out, name));
  CHECK_FALSE(fs::exists(orphan));
  CHECK(fs::exists(young));
  CHECK(folder.streamrun({"verify", "--all", "--dir", "ckpt", "--data"}).status == 0);
}

TEST_CASE("prune: savepoints go only where that is said", "[cli]") {
  const Folder folder;
  for (int id = 1; id <= 3; ++id) {
    CheckpointMetadata savepoint = sample_metadata(id);
    savepoint.kind = SnapshotKind::savepoint;
    savepoint.completed_unix_ms = 1'700'000'000'000 + id;
    folder.write("ckpt/savepoint-111111-00000000000" + std::to_string(id) + "/_metadata",
                 encode(savepoint));
  }
  REQUIRE(listed(folder).size() == 3);
  CHECK(prune(folder, {"--keep-last", "1", "--yes"}).status == 0);
  CHECK(listed(folder).size() == 3);
  const Outcome done = prune(folder, {"--keep-last", "1", "--savepoints", "--yes"});
  INFO(done.err);
  CHECK(done.status == 0);
  CHECK((listed(folder) == std::set<std::string>{folder.at("ckpt/savepoint-111111-000000000003")}));
  CHECK_FALSE(fs::exists(folder.at("ckpt/savepoint-111111-000000000001")));
}

TEST_CASE("prune: what can't be removed is told of, and the exit is 74", "[cli]") {
  const Folder folder;
  killed_run(folder, {}, "chk-4");
  const auto paths = listed(folder);
  for (const std::string& path : paths)
    folder.write(fs::relative(path, folder.path()).string() + "/thesis.txt", "years of work");
  const Outcome done = prune(folder, {"--keep-last", "1", "--yes"});
  CHECK(done.status == 74);
  CHECK(contains(done.err, "could not remove"));
  for (const std::string& path : paths) CHECK(fs::exists(path + "/thesis.txt"));
}

TEST_CASE("prune: slips", "[cli]") {
  const Folder folder;
  fs::create_directory(folder.at("ckpt"));
  CHECK(prune(folder, {"--keep-last", "0"}).status == 64);
  CHECK(prune(folder, {"--keep-last", "many"}).status == 64);
  CHECK(prune(folder, {"--keep-within", "soon"}).status == 64);
  CHECK(prune(folder, {"--keep-within", "2"}).status == 64);
  CHECK(prune(folder, {"nosuchjob"}).status == 64);
  const Outcome nothing = prune(folder, {});
  CHECK(nothing.status == 0);
  CHECK(nothing.out.empty());
}

}  // namespace streamrun::test
