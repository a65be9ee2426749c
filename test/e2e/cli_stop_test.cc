// Stopping is bounded: a job whose code does not return can't keep the process.
#include <chrono>
#include <csignal>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using namespace std::chrono_literals;

/// A job whose task hangs in a function.
struct HangingJob {
  HangingJob()
      : process({.program = STREAMRUN_OWN_BINARY,
                 .arguments = {"run", "-D", "execution.shutdown-timeout=300ms", "broken", "--how",
                               "hang"},
                 .working_directory = folder.path()}) {
    REQUIRE(process.wait_for_err("the function hangs", 20s));
  }
  Folder folder;
  Process process;
};

}  // namespace

TEST_CASE("stop: a function that hangs ends the process after the shutdown timeout, unclean",
          "[cli]") {
  HangingJob job;
  job.process.kill(SIGTERM);
  const Outcome outcome = job.process.wait(20s);
  INFO(outcome.err);
  CHECK_FALSE(outcome.timed_out);
  CHECK(outcome.status == 75);
  CHECK(outcome.err.find("E-STOP-UNCLEAN") != std::string::npos);
}

TEST_CASE("stop: a function that hangs does not keep the process from ending by SIGINT", "[cli]") {
  HangingJob job;
  job.process.kill(SIGINT);
  const Outcome outcome = job.process.wait(20s);
  INFO(outcome.err);
  CHECK_FALSE(outcome.timed_out);
  CHECK_FALSE(outcome.status);
  CHECK(outcome.signal == SIGINT);
}

TEST_CASE("stop: a function that hangs does not keep the process from being cancelled", "[cli]") {
  const Folder folder;
  const std::map<std::string, std::string> environment = {{"XDG_STATE_HOME", folder.at("state")}};
  Process job({.program = STREAMRUN_OWN_BINARY,
               .arguments = {"run", "--log-level", "debug", "-D",
                             "execution.shutdown-timeout=300ms", "broken", "--how", "hang"},
               .environment = environment,
               .working_directory = folder.path()});
  REQUIRE(job.wait_for_err("the function hangs", 20s));
  REQUIRE(job.wait_for_err("REST at", 20s));
  CHECK(folder.own({"cancel", "broken"}, environment).status == 0);
  const Outcome outcome = job.wait(20s);
  INFO(outcome.err);
  CHECK_FALSE(outcome.timed_out);
  CHECK(outcome.status == 75);
  CHECK(outcome.err.find("a command cancels the job") != std::string::npos);
}

}  // namespace streamrun::test
