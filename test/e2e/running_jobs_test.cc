// Running jobs: how they are found, listed and cancelled.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "e2e/running_world.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string kTwo = "0123ffffffffffffffffffffffffffff";

}  // namespace

TEST_CASE("list: shows the running jobs of this user, and none once they have ended", "[running]") {
  const RunningWorld world;
  const Outcome none = world.command({"list"});
  CHECK(none.status == 0);
  CHECK(none.out.empty());
  CHECK(contains(none.err, "no job is running"));
  CHECK(world.listed().empty());

  const auto job = world.start(kOne);
  REQUIRE(job->wait_for_err("chk-1 done", 20s));
  const auto listed = world.listed();
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["name"] == "broken");
  CHECK(listed[0]["job_id"] == kOne);
  CHECK(listed[0]["state"] == "RUNNING");
  CHECK(listed[0]["pid"] == job->pid());
  CHECK(listed[0]["restarts"] == 0);
  CHECK(listed[0]["uptime_ms"].get<long>() >= 0);
  CHECK(contains(listed[0]["last_checkpoint"]["path"], world.at("ckpt/" + kOne + "/chk-")));
  CHECK(contains(listed[0]["web"], "http://127.0.0.1:"));

  const Outcome table = world.command({"list"});
  CHECK(table.out.starts_with("NAME "));
  CHECK(contains(table.out, kOne));
  CHECK(world.listed({"-r"}).size() == 1);
  CHECK(world.listed({"-s"}).empty());
  CHECK(world.listed({"-a"}).size() == 1);
  CHECK(world.listed({"-all"}).size() == 1);

  job->kill(SIGTERM);
  CHECK(job->wait(30s).status == 0);
  CHECK(world.listed().empty());
  CHECK(world.names_in("state/streamrun/running", "").empty());
}

TEST_CASE("list: a job that was killed is told of once, and forgotten", "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  job->kill(SIGKILL);
  job->wait(30s);
  CHECK(world.names_in("state/streamrun/running", "").size() == 1);
  const Outcome first = world.command({"list"});
  CHECK(first.status == 0);
  CHECK(first.out.empty());
  CHECK(contains(first.err, kOne));
  CHECK(contains(first.err, "ended without a word"));
  CHECK(world.names_in("state/streamrun/running", "").empty());
  CHECK_FALSE(contains(world.command({"list"}).err, kOne));
}

TEST_CASE("list: what lies among the registered jobs and is none of them does no harm",
          "[running]") {
  const RunningWorld world;
  world.folder().write("state/streamrun/running/garbage.json", "{\"job_id\":5");
  world.folder().write("state/streamrun/running/large.json", std::string(1 << 20, '['));
  fs::create_directories(world.at("state/streamrun/running/folder.json"));
  fs::create_symlink("/dev/zero", world.at("state/streamrun/running/link.json"));
  CHECK(world.listed().empty());
}

TEST_CASE("run: a folder of state that can't be written is warned of; -m reaches the job",
          "[running]") {
  const RunningWorld world;
  world.folder().write("state", "a file");
  const auto job = world.begin({"run", "broken", "--how", "run"});
  REQUIRE(job->wait_for_err("commands need -m http://", 20s));
  const std::string err = job->err();
  const std::string place =
      err.substr(err.find("http://"), err.find('\n', err.find("http://")) - err.find("http://"));
  REQUIRE(world.listed({"-m", place}).size() == 1);
  const std::string id = world.listed({"-m", place})[0]["job_id"];
  CHECK(world.command({"cancel", "-m", place, id}).status == 0);
  CHECK(job->wait(30s).status == 0);
}

TEST_CASE("cancel: ends the job as CANCELED; the command waits for it and prints nothing",
          "[running]") {
  const RunningWorld world;
  const auto job = world.start(kOne);
  REQUIRE(job->wait_for_err("chk-2 done", 20s));
  const std::string word =
      GENERATE(as<std::string>{}, "0123456789abcdef0123456789abcdef", "0123456789ABcd", "broken");
  const Outcome cancelled = world.command({"cancel", word});
  INFO(cancelled.err);
  CHECK(cancelled.status == 0);
  CHECK(cancelled.out.empty());
  CHECK(contains(cancelled.err, "cancelled broken " + kOne));
  const Outcome ended = job->wait(30s);
  INFO(ended.err);
  CHECK(ended.status == 0);
  CHECK(contains(ended.err, "CANCELED after"));
  CHECK(contains(ended.err, "go on with: streamrun run -s " + world.at("ckpt/" + kOne + "/chk-")));
}

TEST_CASE("two jobs at once: each command reaches the one that is meant", "[running]") {
  const RunningWorld world;
  const auto one = world.start(kOne);
  const auto two = world.start(kTwo);
  CHECK(world.listed().size() == 2);
  CHECK(world.listed()[0]["web"] != world.listed()[1]["web"]);
  for (const char* const word : {"broken", "0123"}) {
    const Outcome ambiguous = world.command({"cancel", word});
    CHECK(ambiguous.status == 64);
    CHECK(contains(ambiguous.err, "several running jobs are called"));
    CHECK(contains(ambiguous.err, "streamrun cancel " + kTwo));
  }
  CHECK(world.command({"cancel", "0123f"}).status == 0);
  CHECK(contains(two->wait(30s).err, "CANCELED"));
  REQUIRE(world.listed().size() == 1);
  CHECK(world.listed()[0]["job_id"] == kOne);
  CHECK(world.command({"cancel", "0123"}).status == 0);
  CHECK(contains(one->wait(30s).err, "CANCELED"));
}

TEST_CASE("commands for a running job: what they can't do is refused with a line to try",
          "[running]") {
  const RunningWorld world;
  for (const char* const command : {"cancel", "stop", "savepoint", "checkpoint"}) {
    INFO(command);
    const Outcome none = world.command({command});
    CHECK(none.status == 64);
    CHECK(contains(none.err, "which job? none is running"));
    const Outcome unknown = world.command({command, "nobody"});
    CHECK(unknown.status == 64);
    CHECK(contains(unknown.err, "no running job is called nobody; none is running"));
    const Outcome nowhere = world.command({command, "-m", "127.0.0.1:1", "nobody"});
    CHECK(nowhere.status == 69);
    CHECK(contains(nowhere.err, "E-UNAVAILABLE: cannot connect to 127.0.0.1:1"));
    const Outcome wrong = world.command({command, "-m", "nonsense", "nobody"});
    CHECK(wrong.status == 64);
    CHECK(contains(wrong.err, "it has the form host:port"));
    CHECK(none.out.empty());
  }
  const auto job = world.start(kOne);
  const Outcome which = world.command({"cancel"});
  CHECK(which.status == 64);
  CHECK(contains(which.err, "streamrun cancel " + kOne));
  const Outcome slip = world.command({"stop", "brokn"});
  CHECK(slip.status == 64);
  CHECK(contains(slip.err, "did you mean broken?"));
  CHECK(world.command({"cancel", kTwo}).status == 64);
  CHECK(world.command({"cancel", "012"}).status == 64);
  CHECK(world.listed().size() == 1);
}

TEST_CASE("completion: offers running jobs to the commands that talk to one", "[running]") {
  const RunningWorld world;
  CHECK_FALSE(contains(world.command({"__complete", "stop", ""}).out, "broken"));
  const auto job = world.start(kOne);
  for (const char* const command : {"cancel", "stop", "savepoint", "checkpoint"}) {
    const std::string offered = world.command({"__complete", command, ""}).out;
    CHECK(contains(offered, kOne));
    CHECK(contains(offered, "broken"));
  }
  CHECK_FALSE(contains(world.command({"__complete", "info", ""}).out, kOne));
}

TEST_CASE("run -d: the job can be reached as soon as its id is printed", "[running]") {
  const RunningWorld world;
  const Outcome started =
      world.command({"run", "-d", "-D", "state.checkpoints.dir=ckpt", "broken", "--how", "run"});
  INFO(started.err);
  REQUIRE(started.status == 0);
  const Outcome cancelled = world.command({"cancel", one_line(started.out)});
  INFO(cancelled.err);
  CHECK(cancelled.status == 0);
  CHECK(world.listed().empty());
}

}  // namespace streamrun::test
