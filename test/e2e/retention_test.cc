// Which checkpoints stay when a job ends: each way to end with each policy, as a table.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/running_world.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* kPolicies[] = {"NO_EXTERNALIZED_CHECKPOINTS", "DELETE_ON_CANCELLATION",
                                     "RETAIN_ON_CANCELLATION"};

/// How a job is made to end.
enum class End { input, failure, cancel, stop, sigterm, sigint, sigkill };

struct Row {
  End end;
  const char* says;  ///< what its last line says; empty: it has none
  bool kept[3];      ///< in the order of kPolicies
};

std::string how_of(End end) {
  if (end == End::input) return "finish";
  return end == End::failure ? "fail" : "run";
}

Outcome end_job(const RunningWorld& world, End end, const std::string& policy) {
  const auto job =
      world.start(kOne,
                  {"-D", "restart-strategy.type=none", "-D", "state.checkpoints.num-retained=2",
                   "-D", "execution.checkpointing.externalized-checkpoint-retention=" + policy},
                  how_of(end));
  REQUIRE(job->wait_for_err("chk-3 done", 20s));
  switch (end) {
    case End::input:
    case End::failure:
      break;
    case End::cancel:
      CHECK(world.command({"cancel", kOne}).status == 0);
      break;
    case End::stop:
      CHECK(world.command({"stop", "-p", "sp", kOne}).status == 0);
      break;
    case End::sigterm:
      job->kill(SIGTERM);
      break;
    case End::sigint:
      job->kill(SIGINT);
      break;
    case End::sigkill:
      job->kill(SIGKILL);
      break;
  }
  return job->wait(30s);
}

void check_status(const Outcome& outcome, End end) {
  switch (end) {
    case End::input:
    case End::cancel:
    case End::stop:
    case End::sigterm:
      CHECK(outcome.status == 0);
      break;
    case End::failure:
      CHECK(outcome.status == 1);
      break;
    case End::sigint:
      CHECK(outcome.signal == SIGINT);
      break;
    case End::sigkill:
      CHECK(outcome.signal == SIGKILL);
      break;
  }
}

bool is_complete(const RunningWorld& world, const std::string& checkpoint) {
  return fs::exists(world.at("ckpt/" + kOne + "/" + checkpoint + "/_metadata"));
}

}  // namespace

TEST_CASE("run: which checkpoints stay is decided by how the job ends and by the policy",
          "[running]") {
  const Row row = GENERATE(Row{End::input, "FINISHED after", {false, false, false}},
                           Row{End::stop, "FINISHED after", {false, false, false}},
                           Row{End::cancel, "CANCELED after", {false, false, true}},
                           Row{End::failure, "FAILED after", {false, true, true}},
                           Row{End::sigterm, "stopped", {false, true, true}},
                           Row{End::sigint, "stopped", {false, true, true}},
                           Row{End::sigkill, "", {true, true, true}});
  const int policy = GENERATE(0, 1, 2);
  const RunningWorld world;
  const Outcome outcome = end_job(world, row.end, kPolicies[policy]);
  INFO(row.says << ", " << kPolicies[policy] << "\n" << outcome.err);
  check_status(outcome, row.end);
  CHECK(contains(outcome.err, row.says));

  const bool kept = row.kept[policy];
  const std::string job_folder = "ckpt/" + kOne;
  const std::vector<std::string> left = world.names_in(job_folder, "chk-");
  const auto complete = std::count_if(
      left.begin(), left.end(), [&](const std::string& name) { return is_complete(world, name); });
  if (row.end == End::sigkill) {  // one more may be between its publication and the removal
    CHECK(complete >= 2);
    CHECK(complete <= 3);
  } else {
    CHECK(complete == (kept ? 2 : 0));
    CHECK(left.size() == static_cast<std::size_t>(complete));
  }
  // What is not the checkpoints' own stays, as in Flink.
  for (const char* const folder : {"/shared", "/taskowned"})
    CHECK(fs::is_directory(world.at(job_folder + folder)));
  CHECK(fs::exists(world.at(job_folder + "/finished")) ==
        (row.end == End::input || row.end == End::stop));
  CHECK(world.names_in("sp", "savepoint-").size() == (row.end == End::stop ? 1 : 0));

  const Outcome latest = world.command({"list-checkpoints", "--dir", "ckpt", "--latest"});
  CHECK(latest.status == (kept ? 0 : 66));
  if (kept && row.end != End::sigkill)
    CHECK(contains(outcome.err, "go on with: streamrun run -s " + one_line(latest.out)));
  const bool is_suspended = row.end == End::sigterm || row.end == End::sigint;
  if (is_suspended && !kept)
    CHECK(contains(outcome.err, "NO_EXTERNALIZED_CHECKPOINTS): there is nothing to go on"));
}

TEST_CASE("run: a failure goes back to a newer savepoint only where that is asked for",
          "[running]") {
  const bool prefers_checkpoint = GENERATE(true, false);
  const RunningWorld world;
  const auto job = world.start(
      kOne,
      {"-D", "execution.checkpointing.interval=1h", "-D", "restart-strategy.type=fixed-delay", "-D",
       "restart-strategy.fixed-delay.delay=1ms", "-D",
       std::string("execution.checkpointing.prefer-checkpoint-for-recovery=") +
           (prefers_checkpoint ? "true" : "false")},
      "fail-once-told");
  const std::string checkpoint = one_line(world.command({"checkpoint", kOne}).out);
  const std::string savepoint = one_line(world.command({"savepoint", kOne, "sp"}).out);
  world.folder().write("fail", "");
  REQUIRE(job->wait_for_err("as it was told", 20s));
  const std::string err = job->err();
  INFO(err);
  const std::string line = err.substr(err.find("RESTARTING (1)"));
  const std::string from =
      prefers_checkpoint ? fs::path(checkpoint).filename().string() : savepoint;
  CHECK(contains(line, " from " + from + ":"));
  CHECK(fs::exists(savepoint + "/_metadata"));
}

}  // namespace streamrun::test
