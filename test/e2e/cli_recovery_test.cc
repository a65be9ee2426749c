// What a person sees of failures, pauses and time-outs, and of settings that can't be.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
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

/// `run` of the job that goes wrong so, with short names below `execution.checkpointing`.
Arguments run_of(const std::string& how, const Arguments& checkpointing,
                 const Arguments& others = {}) {
  Arguments arguments = {"run"};
  for (const std::string& each : checkpointing)
    arguments.insert(arguments.end(), {"-D", "execution.checkpointing." + each});
  for (const std::string& each : others) arguments.insert(arguments.end(), {"-D", each});
  arguments.insert(arguments.end(), {"broken", "--how", how});
  return arguments;
}

/// Runs it until `text` was said, then ends it with SIGTERM.
Outcome run_until(const Folder& folder, const Arguments& arguments, const std::string& text) {
  Process process({.program = STREAMRUN_OWN_BINARY,
                   .arguments = arguments,
                   .working_directory = folder.path()});
  const bool said = process.wait_for_err(text, 30s);
  process.kill(SIGTERM);
  Outcome outcome = process.wait(30s);
  INFO(outcome.err);
  REQUIRE(said);
  return outcome;
}

/// How often `text` stands in it.
int count_of(const std::string& all, const std::string& text) {
  int count = 0;
  for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1))
    ++count;
  return count;
}

struct Taken {
  std::int64_t triggered;
  std::int64_t ended;
};

/// The snapshots that completed, as `inspect --history` tells of them.
std::vector<Taken> history_of(const Folder& folder) {
  const Outcome listed = folder.own({"list-checkpoints", "--dir", "ckpt", "--latest"});
  REQUIRE(listed.status == 0);
  const std::string newest = listed.out.substr(0, listed.out.size() - 1);
  const Outcome inspected = folder.own({"inspect", "--json", "--history", newest});
  REQUIRE(inspected.status == 0);
  std::vector<Taken> taken;
  const auto document = nlohmann::json::parse(inspected.out);
  for (const auto& each : document["history"]) {
    if (!each["failure"].get<std::string>().empty()) continue;
    const auto triggered = each["triggered_unix_ms"].get<std::int64_t>();
    taken.push_back({triggered, triggered + each["took_ms"].get<std::int64_t>()});
  }
  return taken;
}

}  // namespace

TEST_CASE("run: each restart strategy restarts as often as it says, and is named in the end",
          "[cli]") {
  struct Row {
    Arguments strategy;
    int restarts;
    std::string named;
  };
  const std::string fixed = "restart-strategy.fixed-delay.";
  const std::string rate = "restart-strategy.failure-rate.";
  const std::string exponential = "restart-strategy.exponential-delay.";
  const Row row = GENERATE_COPY(
      Row{{"restart-strategy.type=none"}, 0, "no restart strategy"},
      Row{{"restart-strategy.type=fixed-delay", fixed + "attempts=2", fixed + "delay=1ms"},
          2,
          "fixed-delay with 2 attempts"},
      Row{{"restart-strategy.type=failure-rate", rate + "max-failures-per-interval=1",
           rate + "failure-rate-interval=1h", rate + "delay=1ms"},
          1,
          "failure-rate with 1 failures per interval"},
      Row{{"restart-strategy.type=exponential-delay", exponential + "initial-backoff=1ms",
           exponential + "max-backoff=2ms", exponential + "attempts-before-reset-backoff=3"},
          3,
          "exponential-delay"});
  const Folder folder;
  const Outcome outcome = folder.own(run_of("fail", {"interval=20ms"}, row.strategy));
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  CHECK(count_of(outcome.err, "RESTARTING (") == row.restarts);
  CHECK(contains(outcome.err, "Recovery is suppressed by " + row.named));
}

TEST_CASE("run: without checkpoints and without a restart strategy a failure ends the job",
          "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.own(run_of("fail", {}));
  CHECK(outcome.status == 1);
  CHECK_FALSE(contains(outcome.err, "RESTARTING"));
}

TEST_CASE("run: checkpoints that expire name the slowest subtask, and too many fail the job",
          "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.own(run_of(
      "dawdle", {"interval=10ms", "timeout=10ms", "tolerable-failed-checkpoints=2", "dir=ckpt"},
      {"restart-strategy.type=none"}));
  INFO(outcome.err);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "was not complete within 0.01 s"));
  CHECK(contains(outcome.err, "the slowest is Source: "));
  CHECK(contains(outcome.err, ", which the barrier has not reached"));
  CHECK(contains(outcome.err, "3 checkpoints in a row failed, 2 are tolerable"));
  // None of them is to be resumed. One before the first slow record may have been in time.
  for (const auto& entry : fs::recursive_directory_iterator(folder.at("ckpt"))) {
    if (entry.path().filename() != "_metadata") continue;
    const std::string name = entry.path().parent_path().filename();
    CHECK(contains(outcome.err, name + " done"));
    CHECK_FALSE(contains(outcome.err, name + " failed"));
  }
}

TEST_CASE("run: the pause is between the end of each checkpoint and the start of the next",
          "[cli]") {
  const Folder folder;
  run_until(folder,
            run_of("run", {"interval=10ms", "min-pause=40ms", "dir=ckpt"},
                   {"web.checkpoints.history=100"}),
            "chk-5 done");
  const std::vector<Taken> taken = history_of(folder);
  REQUIRE(taken.size() >= 5);
  // The last one was asked for by the signal, and waits for no pause. Each time is rounded down.
  for (std::size_t i = 1; i + 1 < taken.size(); ++i)
    CHECK(taken[i].triggered - taken[i - 1].ended >= 39);
}

TEST_CASE("run: as many checkpoints as are allowed overlap, and each may be restored", "[cli]") {
  const Folder folder;
  run_until(folder,
            run_of("dawdle",
                   {"interval=10ms", "max-concurrent-checkpoints=3", "num-retained=20", "dir=ckpt"},
                   {"web.checkpoints.history=100"}),
            "chk-8 done");
  const std::vector<Taken> taken = history_of(folder);
  std::size_t most = 0;
  for (const Taken& one : taken) {
    const auto under_way = std::count_if(taken.begin(), taken.end(), [&](const Taken& other) {
      return other.triggered <= one.triggered && one.triggered < other.ended;
    });
    most = std::max(most, static_cast<std::size_t>(under_way));
  }
  CHECK(most >= 2);
  CHECK(most <= 3);
  const Outcome all = folder.own({"list-checkpoints", "--dir", "ckpt", "-o", "path"});
  REQUIRE(all.status == 0);
  REQUIRE(count_of(all.out, "\n") >= 8);
  std::size_t begin = 0;
  for (std::size_t end = all.out.find('\n'); end != std::string::npos;
       begin = end + 1, end = all.out.find('\n', begin)) {
    const std::string path = all.out.substr(begin, end - begin);
    const Outcome checked = folder.own({"run", "--dry-run", "-D", "state.checkpoints.dir=ckpt",
                                        "-s", path, "broken", "--how", "dawdle"});
    INFO(path << "\n" << checked.err);
    CHECK(checked.status == 0);
  }
}

TEST_CASE("run: told that savepoints count for recovery, it says that they must be kept", "[cli]") {
  const Folder folder;
  const auto told = [&](const Arguments& checkpointing) {
    Arguments arguments = run_of("run", checkpointing);
    arguments.insert(arguments.begin() + 1, {"--stop-after", "50ms"});
    const Outcome outcome = folder.own(arguments);
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    return contains(outcome.err, "a failure may go back to a savepoint, so keep the newest one");
  };
  CHECK(told({"prefer-checkpoint-for-recovery=false"}));
  CHECK_FALSE(told({"prefer-checkpoint-for-recovery=true"}));
  CHECK_FALSE(told({}));
}

TEST_CASE("run: settings that can't go together are refused by both keys, before anything starts",
          "[cli]") {
  struct Row {
    std::string how;
    Arguments checkpointing;
    Arguments others;
    std::string first;
    std::string second;
  };
  const std::string prefix = "execution.checkpointing.";
  const std::string exponential = "restart-strategy.exponential-delay.";
  const Row row = GENERATE_COPY(
      Row{"run",
          {"unaligned=true", "mode=AT_LEAST_ONCE"},
          {},
          prefix + "unaligned.enabled",
          prefix + "mode"},
      Row{"run",
          {"unaligned=true", "max-concurrent-checkpoints=2"},
          {},
          prefix + "unaligned.enabled",
          prefix + "max-concurrent-checkpoints"},
      Row{"unaligned",
          {"max-concurrent-checkpoints=2"},
          {},
          prefix + "unaligned.enabled",
          prefix + "max-concurrent-checkpoints"},
      Row{"unaligned", {"mode=AT_LEAST_ONCE"}, {}, prefix + "unaligned.enabled", prefix + "mode"},
      Row{"run",
          {},
          {exponential + "initial-backoff=2min"},
          exponential + "initial-backoff",
          exponential + "max-backoff"},
      Row{"run",
          {},
          {"parallelism.default=5", "pipeline.max-parallelism=4"},
          "parallelism.default",
          "pipeline.max-parallelism"});
  const Folder folder;
  Arguments checkpointing = row.checkpointing;
  checkpointing.insert(checkpointing.end(), {"interval=20ms", "dir=ckpt"});
  const Outcome outcome = folder.own(run_of(row.how, checkpointing, row.others));
  INFO(outcome.err);
  CHECK(outcome.status == 78);
  CHECK(contains(outcome.err, "E-CONF"));
  CHECK(contains(outcome.err, row.first + " ("));
  CHECK(contains(outcome.err, row.second + " ("));
  CHECK_FALSE(contains(outcome.err, "RUNNING"));
  CHECK_FALSE(fs::exists(folder.at("ckpt")));
}

TEST_CASE("run: a job's code may ask for unaligned checkpoints", "[cli]") {
  const Folder folder;
  const Outcome outcome =
      run_until(folder, run_of("unaligned", {"interval=20ms", "dir=ckpt"}), "chk-1 done");
  CHECK(outcome.status == 0);
  const Outcome listed = folder.own({"list-checkpoints", "--dir", "ckpt", "--latest"});
  REQUIRE(listed.status == 0);
  std::ifstream metadata(listed.out.substr(0, listed.out.size() - 1) + "/_metadata");
  const std::string text(std::istreambuf_iterator<char>(metadata), {});
  CHECK(contains(text, "\"execution.checkpointing.unaligned.enabled\": \"true\""));
}

TEST_CASE("run: checkpoints as files without a folder for them are refused by both keys", "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.own(run_of("run", {"interval=20ms", "storage=filesystem"}));
  CHECK(outcome.status == 78);
  CHECK(contains(outcome.err, "execution.checkpointing.storage ("));
  CHECK(contains(outcome.err, "execution.checkpointing.dir is not set"));
}

TEST_CASE("run: a signal while the job waits to be restarted is no clean end", "[cli]") {
  const Folder folder;
  const Outcome outcome = run_until(
      folder,
      run_of("fail", {"interval=20ms", "dir=ckpt"},
             {"restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.delay=1h"}),
      "RESTARTING");
  INFO(outcome.err);
  CHECK(outcome.status == 75);
  CHECK(contains(outcome.err, "E-STOP-UNCLEAN"));
  CHECK(contains(outcome.err, "no final checkpoint was taken"));
}

}  // namespace streamrun::test
