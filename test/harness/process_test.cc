#include "harness/process.h"

#include <catch2/catch.hpp>
#include <signal.h>

namespace streamrun::test {
namespace {

Command shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}, .working_directory = "/"};
}

}  // namespace

TEST_CASE("process: status, stdout and stderr are kept apart", "[harness]") {
  const Outcome outcome = run(shell("echo out; echo err >&2; pwd; exit 3"));
  CHECK(outcome.status == 3);
  CHECK(outcome.signal == 0);
  CHECK(outcome.out == "out\n/\n");
  CHECK(outcome.err == "err\n");
}

TEST_CASE("process: its environment is what the test says", "[harness]") {
  Command command = shell("echo \"$A,$USER\"; read line; echo \"$?\"");
  command.environment = {{"A", "b c"}};
  CHECK(run(command).out == "b c,\n1\n");
}

TEST_CASE("process: one that does not end in time is killed with its children", "[harness]") {
  const Outcome outcome = run(shell("sleep 100 & sleep 100"), std::chrono::milliseconds(50));
  CHECK(outcome.timed_out);
  CHECK(outcome.signal == SIGKILL);
  CHECK_FALSE(outcome.status.has_value());
}

TEST_CASE("process: a test can wait for a text and send a signal", "[harness]") {
  Process process(
      shell("trap 'echo got it; exit 5' TERM; echo ready >&2; while :; do sleep 0.01; done"));
  REQUIRE(process.wait_for_err("ready", std::chrono::seconds(10)));
  process.kill(SIGTERM);
  const Outcome outcome = process.wait();
  CHECK(outcome.status == 5);
  CHECK(outcome.out == "got it\n");
  CHECK_FALSE(process.wait_for_err("never", std::chrono::seconds(10)));
}

}  // namespace streamrun::test
