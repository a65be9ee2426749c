// Savepoints, checkpoints and stops of a running job, as a person asks for them.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/running_world.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// All numbers up to one of them, each once.
void require_exact(const std::vector<long>& numbers) {
  REQUIRE_FALSE(numbers.empty());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != static_cast<long>(i)) FAIL("number " << i << " is " << numbers[i]);
  }
}

}  // namespace

TEST_CASE("savepoint: while checkpoints go on, which never remove it; it can be resumed",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  REQUIRE(job->wait_for_err("chk-1 done", 20s));
  const Outcome taken = world.command({"savepoint", kOne, "sp"});
  INFO(taken.err);
  REQUIRE(taken.status == 0);
  const std::string path = one_line(taken.out);
  CHECK(path.starts_with(world.at("sp/savepoint-012345-")));
  CHECK(fs::exists(path + "/_metadata"));
  // Enough checkpoints for all that there were to be subsumed.
  const Outcome second = world.command({"savepoint", "broken", "sp"});
  REQUIRE(second.status == 0);
  CHECK(one_line(second.out) != path);
  std::string newest = one_line(world.command({"checkpoint", kOne}).out);
  for (int i = 0; i < 5; ++i) {
    const std::string next = one_line(world.command({"checkpoint", kOne}).out);
    CHECK(next != newest);
    newest = next;
  }
  CHECK_FALSE(fs::exists(world.at("ckpt/" + kOne + "/chk-1")));
  CHECK(fs::exists(path + "/_metadata"));
  CHECK(world.listed().size() == 1);
  CHECK(world.command({"cancel", kOne}).status == 0);
  job->wait(30s);
  CHECK(fs::exists(path + "/_metadata"));
  const Outcome resumed = world.command(
      {"run", "-s", path, "--stop-after", "100ms", "-D", "state.checkpoints.dir=ckpt"});
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK(contains(resumed.err, "restored   " + path));

  const Outcome json = world.command({"savepoint", "--json", "--dispose", path});
  CHECK(json.status == 0);
  CHECK(nlohmann::json::parse(json.out)["disposed"] == path);
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("savepoint: without a folder it is refused with the key and the flag that give one",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  for (const char* const command : {"savepoint", "stop"}) {
    const Outcome refused = world.command({command, kOne});
    INFO(refused.err);
    CHECK(refused.status == 64);
    CHECK(refused.out.empty());
    CHECK(contains(refused.err, "execution.checkpointing.savepoint-dir"));
    CHECK(contains(refused.err, "state.savepoints.dir=DIR"));
    CHECK(contains(refused.err, "streamrun stop " + kOne + " --savepointPath DIR") ==
          (std::string(command) == "stop"));
  }
  CHECK(world.listed().size() == 1);
}

TEST_CASE("savepoint: a folder that can't be written fails it, and the job goes on", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  world.folder().write("taken", "a file");
  for (const auto& arguments : {RunningWorld::Arguments{"savepoint", kOne, "taken/sp"},
                                RunningWorld::Arguments{"savepoint", kOne, "s3://bucket/sp"},
                                RunningWorld::Arguments{"stop", "-p", "taken/sp", kOne}}) {
    const Outcome refused = world.command(arguments);
    INFO(refused.err);
    CHECK(refused.status != 0);
    CHECK(refused.status != 69);
    CHECK(refused.out.empty());
    CHECK(contains(refused.err, "error: E-"));
  }
  REQUIRE(world.listed().size() == 1);
  CHECK(world.listed()[0]["state"] == "RUNNING");
  CHECK(world.command({"savepoint", kOne, "sp"}).status == 0);
}

TEST_CASE("savepoint --dispose: only a savepoint goes, and what is none is refused", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  const std::string checkpoint = one_line(world.command({"checkpoint", kOne}).out);
  const Outcome refused = world.command({"savepoint", "-d", checkpoint});
  CHECK(refused.status != 0);
  CHECK(world.command({"savepoint", "-d", "nowhere"}).status == 66);
  CHECK(world.command({"savepoint", "-d", ""}).status == 64);
  const std::string path = one_line(world.command({"savepoint", kOne, "sp"}).out);
  world.folder().write("sp/" + fs::path(path).filename().string() + "/notes", "mine");
  // By way of the job, as Flink's client does.
  const Outcome remote = world.command({"savepoint", "-m", world.address(), "-dispose", path});
  INFO(remote.err);
  CHECK(remote.status == 0);
  CHECK_FALSE(fs::exists(path + "/_metadata"));
  CHECK(fs::exists(path + "/notes"));
  CHECK(world.command({"savepoint", "-m", world.address(), "-d", path}).status == 66);
}

TEST_CASE("stop: operator state is dealt out over another parallelism, each element once",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne, {"-D", "state.savepoints.dir=sp", "-p", "3"}, "sevens");
  REQUIRE(job->wait_for_err("chk-3 done", 20s));
  const Outcome stopped = world.command({"stop", kOne});
  INFO(stopped.err);
  REQUIRE(stopped.status == 0);
  const std::string path = one_line(stopped.out);
  REQUIRE(job->wait(30s).status == 0);
  const Outcome inspected = world.command({"inspect", "--operator", "sevens", path});
  INFO(inspected.out);
  CHECK(contains(inspected.out, "waiting"));

  const Outcome resumed = world.command({"run", "-s", path, "-p", "2"});
  INFO(resumed.err);
  REQUIRE(resumed.status == 0);
  std::vector<long> all = world.copied();
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  // Each subtask keeps up to six at the end.
  CHECK(all.size() <= 20000);
  CHECK(all.size() >= 20000 - 2 * 6);
}

TEST_CASE("stop: ends the job as FINISHED with a savepoint, from which a resume is exact",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne, {"-D", "state.savepoints.dir=sp"}, "copy");
  REQUIRE(job->wait_for_err("chk-5 done", 20s));
  const Outcome stopped = world.command({"stop", kOne});
  INFO(stopped.err);
  REQUIRE(stopped.status == 0);
  const std::string path = one_line(stopped.out);
  CHECK(path.starts_with(world.at("sp/savepoint-012345-")));
  const Outcome ended = job->wait(30s);
  INFO(ended.err);
  CHECK(ended.status == 0);
  CHECK(contains(ended.err, "FINISHED after"));
  CHECK(contains(ended.err, "stopped with " + path + "; go on with: streamrun run -s " + path));
  CHECK(world.names_in("ckpt/" + kOne, "chk-").empty());
  // Whoever looks only where checkpoints are finds the savepoint all the same: an older checkpoint,
  // or an empty start, would write again what it has committed.
  CHECK(one_line(world.command({"list-checkpoints", "--dir", "ckpt", "--latest", "broken"}).out) ==
        path);
  for (const RunningWorld::Arguments& from :
       {RunningWorld::Arguments{"latest", "--or-fresh", "--dry-run", "broken"},
        RunningWorld::Arguments{world.at("ckpt/" + kOne), "--dry-run"}}) {
    RunningWorld::Arguments run = {"run", "-D", "state.checkpoints.dir=ckpt", "-s"};
    run.insert(run.end(), from.begin(), from.end());
    const Outcome found = world.command(run);
    INFO(found.err);
    CHECK(found.status == 0);
    CHECK(contains(found.err, "restored   " + path));
  }
  const std::vector<long> half = world.copied();
  require_exact(half);
  CHECK(half.size() < 30000);

  const Outcome resumed = world.command({"run", "-s", path, "-p", "2"});
  INFO(resumed.err);
  REQUIRE(resumed.status == 0);
  const std::vector<long> all = world.copied();
  require_exact(all);
  CHECK(all.size() == 30000);
  CHECK(fs::exists(path + "/_metadata"));
}

TEST_CASE(
    "stop --drain: ends the input first; sources go on from there if it is resumed all the same",
    "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne, {}, "copy");
  REQUIRE(job->wait_for_err("chk-3 done", 20s));
  const Outcome drained = world.command({"stop", "-drain", "--savepointPath", "sp", kOne});
  INFO(drained.err);
  REQUIRE(drained.status == 0);
  CHECK(contains(drained.err, "draining broken"));
  const std::string path = one_line(drained.out);
  CHECK(job->wait(30s).status == 0);
  const std::vector<long> copied = world.copied();
  require_exact(copied);
  CHECK(copied.size() < 30000);
  const Outcome resumed = world.command({"run", "-s", path});
  CHECK(resumed.status == 0);
  const std::vector<long> all = world.copied();
  require_exact(all);
  CHECK(all.size() == 30000);
}

TEST_CASE("stop -p JOB, cancel -s JOB: the flag takes a single word, which is the job",
          "[running]") {
  const RunningWorld world;
  const std::string command = GENERATE(as<std::string>{}, "stop -p", "cancel -s");
  const auto job = world.start(kOne, {"-D", "state.savepoints.dir=sp"});
  const Outcome done = world.command(
      {command.substr(0, command.find(' ')), command.substr(command.find(' ') + 1), kOne});
  INFO(done.err);
  CHECK(done.status == 0);
  CHECK(fs::exists(one_line(done.out) + "/_metadata"));
  const bool cancels = command == "cancel -s";
  CHECK(contains(done.err, "deprecated") == cancels);
  CHECK(contains(job->wait(30s).err, cancels ? "CANCELED after" : "FINISHED after"));
}

TEST_CASE("checkpoint: prints the path of one that is complete; in memory it prints its name",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  for (const RunningWorld::Arguments& arguments :
       {RunningWorld::Arguments{"checkpoint", kOne},
        RunningWorld::Arguments{"checkpoint", "-full", "broken"}}) {
    const Outcome taken = world.command(arguments);
    INFO(taken.err);
    REQUIRE(taken.status == 0);
    CHECK(one_line(taken.out).starts_with(world.at("ckpt/" + kOne + "/chk-")));
  }
  const auto json = nlohmann::json::parse(world.command({"checkpoint", "--json", kOne}).out);
  CHECK(json["v"] == 1);
  CHECK(contains(json["path"], "/chk-"));
  CHECK(world.command({"cancel", kOne}).status == 0);
  job->wait(30s);

  const auto in_memory = world.begin({"run", "--log-level", "debug", "broken", "--how", "run"});
  REQUIRE(in_memory->wait_for_err("REST at", 20s));
  REQUIRE(in_memory->wait_for_err("RUNNING", 20s));
  CHECK(one_line(world.command({"checkpoint", "broken"}).out) == "chk-1");
}

TEST_CASE("a job that ends meanwhile: the command says so, and nothing is taken for done",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne, {"-D", "state.savepoints.dir=sp"}, "dawdle");
  const auto waiting = world.begin({"savepoint", kOne});
  REQUIRE(waiting->wait_for_err("savepoint of broken", 20s));
  const int signal = GENERATE(SIGKILL, SIGTERM);
  job->kill(signal);
  job->wait(30s);
  const Outcome outcome = waiting->wait(30s);
  INFO(outcome.err);
  if (signal == SIGKILL && outcome.status != 0) {
    CHECK(outcome.status == 69);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, "the savepoint may be complete, or not"));
  } else if (outcome.status == 0) {
    CHECK(fs::exists(one_line(outcome.out) + "/_metadata"));
  } else {
    CHECK(outcome.status == 69);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("savepoint --detached: prints an id, under which the result is found", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  const Outcome begun = world.command({"savepoint", "-detached", kOne, "sp"});
  REQUIRE(begun.status == 0);
  CHECK(one_line(begun.out).size() == 32);
}

TEST_CASE("client.timeout: the command gives up waiting with 69, the job goes on", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne, {"-D", "state.savepoints.dir=sp"}, "dawdle");
  const Outcome outcome = world.command({"savepoint", "-D", "client.timeout=1ms", kOne});
  INFO(outcome.err);
  if (outcome.status != 0) {  // else it was quicker
    CHECK(outcome.status == 69);
    CHECK(contains(outcome.err, "client.timeout has passed; the job goes on with it"));
  }
  REQUIRE(job->wait_for_err("savepoint", 30s));
}

}  // namespace streamrun::test
