// What a job leaves behind when it is stopped, and what it tells of its checkpoints.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

constexpr const char* kJobId = "0123456789abcdef0123456789abcdef";

Arguments run_of(const std::string& how, const Arguments& definitions) {
  Arguments arguments = {"run", "-D", "state.checkpoints.dir=ckpt", "-D",
                         std::string("$internal.pipeline.job-id=") + kJobId};
  for (const std::string& definition : definitions) {
    arguments.insert(arguments.end(), {"-D", definition});
  }
  arguments.insert(arguments.end(), {"broken", "--how", how});
  return arguments;
}

const Arguments kEvery20ms = {"execution.checkpointing.interval=20ms",
                              "restart-strategy.type=none"};

/// Names in `folder` that begin so.
std::vector<std::string> names_in(const std::string& folder, const std::string& prefix) {
  std::vector<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix)) names.push_back(name);
  }
  return names;
}

Outcome end_with(const Folder& folder, const Arguments& arguments, int signal) {
  Process process({.program = STREAMRUN_OWN_BINARY,
                   .arguments = arguments,
                   .working_directory = folder.path()});
  if (signal != 0) {
    const bool periodic =
        std::find(arguments.begin(), arguments.end(), kEvery20ms.front()) != arguments.end();
    REQUIRE(process.wait_for_err(periodic ? "chk-3 done" : "RUNNING", 20s));
    process.kill(signal);
  }
  return process.wait(30s);
}

}  // namespace

TEST_CASE(
    "run: a signal leaves a savepoint where state.savepoints.dir is set, and -s latest takes it",
    "[cli]") {
  const Folder folder;
  Arguments definitions = kEvery20ms;
  definitions.emplace_back("state.savepoints.dir=sp");
  const Outcome stopped = end_with(folder, run_of("run", definitions), SIGTERM);
  INFO(stopped.err);
  REQUIRE(stopped.status == 0);
  const std::vector<std::string> savepoints = names_in(folder.at("sp"), "savepoint-012345-");
  REQUIRE(savepoints.size() == 1);
  const std::string path = folder.at("sp/" + savepoints.front());
  CHECK(contains(stopped.err, "stopped with " + path + "; go on with: streamrun run -s " + path));
  CHECK_FALSE(names_in(folder.at(std::string("ckpt/") + kJobId), "chk-").empty());

  const Outcome listed = folder.own({"list-checkpoints", "--dir", "sp", "--dir", "ckpt"});
  CHECK(contains(listed.out, "savepoint"));
  const Outcome latest =
      folder.own({"list-checkpoints", "--dir", "ckpt", "--dir", "sp", "--latest", "broken"});
  CHECK(latest.out == path + "\n");
  const Outcome resumed =
      folder.own({"run", "-D", "state.checkpoints.dir=ckpt", "-D", "state.savepoints.dir=sp", "-s",
                  "latest", "--stop-after", "100ms", "broken", "--how", "run"});
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK(contains(resumed.err, "restored   " + path));
}

TEST_CASE("run: -s latest does not take the savepoint of a run that is alive", "[cli]") {
  const Folder folder;
  const Arguments definitions = {"state.savepoints.dir=sp"};
  REQUIRE(end_with(folder, run_of("run", definitions), SIGTERM).status == 0);
  Process alive({.program = STREAMRUN_OWN_BINARY,
                 .arguments = run_of("run", definitions),
                 .working_directory = folder.path()});
  REQUIRE(alive.wait_for_err("RUNNING", 20s));
  const Outcome second =
      folder.own({"run", "-D", "state.checkpoints.dir=ckpt", "-D", "state.savepoints.dir=sp", "-s",
                  "latest", "broken", "--how", "run"});
  INFO(second.err);
  CHECK(second.status == 75);
  CHECK(contains(second.err, "still alive"));
  alive.kill(SIGTERM);
  CHECK(alive.wait(30s).status == 0);
}

TEST_CASE("run: a folder in the job's code wins over the file's, and the command line over both",
          "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml", "state.checkpoints.dir: of-the-file\n");
  const Arguments job = {"--stop-after", "300ms", "broken", "--how", "settings"};
  const auto run = [&](Arguments flags) {
    flags.insert(flags.begin(), "run");
    flags.insert(flags.end(), job.begin(), job.end());
    return folder.own(flags);
  };
  const Outcome first = run({});
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK(contains(first.err, "stopped with " + folder.at("of-the-job/")));
  CHECK_FALSE(fs::exists(folder.at("of-the-file")));

  const Outcome resumed = run({"-s", "latest"});
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK(contains(resumed.err, "restored   " + folder.at("of-the-job/")));

  const Outcome told = run({"-D", "state.checkpoints.dir=of-the-line"});
  CHECK(told.status == 0);
  CHECK(contains(told.err, "stopped with " + folder.at("of-the-line/")));

  const Outcome contradiction = run({"-D", "execution.checkpointing.interval=5ms"});
  CHECK(contradiction.status == 78);
}

TEST_CASE(
    "run: a pause with several checkpoints at once is warned of, and they overlap no more than "
    "told",
    "[cli]") {
  const Folder folder;
  Arguments definitions = kEvery20ms;
  definitions.emplace_back("execution.checkpointing.max-concurrent-checkpoints=3");
  definitions.emplace_back("execution.checkpointing.min-pause=10ms");
  const Outcome outcome = end_with(folder, run_of("run", definitions), SIGTERM);
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.err,
                 "execution.checkpointing.min-pause with "
                 "execution.checkpointing.max-concurrent-checkpoints above 1"));
}

TEST_CASE("inspect --history: tells what a snapshot and the ones before it took", "[cli]") {
  const Folder folder;
  Arguments definitions = kEvery20ms;
  definitions.emplace_back("web.checkpoints.history=2");
  const Outcome stopped = end_with(folder, run_of("run", definitions), SIGTERM);
  REQUIRE(stopped.status == 0);
  const std::string job_folder = std::string("ckpt/") + kJobId;

  const Outcome plain = folder.own({"inspect", job_folder});
  CHECK(plain.status == 0);
  CHECK(contains(plain.out, std::string(" of broken ") + kJobId));
  CHECK_FALSE(contains(plain.out, "START-DELAY"));

  const Outcome text = folder.own({"inspect", job_folder, "--history"});
  INFO(text.out);
  CHECK(text.status == 0);
  CHECK(contains(text.out, "SNAPSHOT"));
  CHECK(contains(text.out, "START-DELAY"));
  CHECK(contains(text.out, "1 of 1"));

  const Outcome json = folder.own({"inspect", "--json", "--history", job_folder});
  REQUIRE(json.status == 0);
  const auto document = nlohmann::json::parse(json.out);
  CHECK(document["v"] == 1);
  REQUIRE(document["history"].size() == 3);
  CHECK(document["history"][2]["id"] == document["id"]);
  CHECK(document["history"][2]["by_subtask"].size() == 1);
  CHECK(document["history"][2]["by_subtask"][0]["in_flight_bytes"] == 0);
  CHECK(document["history"][0]["by_subtask"].empty());

  CHECK(folder.own({"inspect"}).status == 64);
  CHECK(folder.own({"inspect", "nowhere"}).status == 66);
}

}  // namespace streamrun::test
