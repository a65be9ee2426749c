// Timers with the real binary: a run that is killed and resumed gives what an undisturbed one does.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

constexpr int kEvents = 400'000;

/// `run` of inactivity with checkpoints each 50 ms, and `rate` events a second.
Arguments silence_run(int parallelism, const Arguments& flags, int rate,
                      const std::string& output = "out") {
  Arguments arguments = {"run",
                         "-p",
                         std::to_string(parallelism),
                         "-D",
                         "state.checkpoints.dir=ckpt",
                         "-D",
                         "execution.checkpointing.interval=50ms",
                         "-D",
                         "pipeline.auto-watermark-interval=5ms"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(),
                   {"inactivity", "--users", "500", "--gap", "20000", "--count",
                    std::to_string(kEvents), "--rate", std::to_string(rate), "--output", output});
  return arguments;
}

/// All lines of the finished files in a folder, sorted.
std::vector<std::string> lines_in(const std::string& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(".")) continue;
    std::ifstream part(entry.path());
    for (std::string line; std::getline(part, line);) lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("run: timers fire once over kills, at the same, half and double parallelism", "[cli]") {
  const int parallelism = GENERATE(2, 1, 4);
  const bool unaligned = GENERATE(false, true);
  const Folder folder;
  REQUIRE(folder.streamrun(silence_run(1, {}, 0, "undisturbed")).status == 0);
  const std::vector<std::string> expected = lines_in(folder.at("undisturbed"));
  REQUIRE(expected.size() > 1000);
  fs::remove_all(folder.at("ckpt"));

  const std::string kind = "execution.checkpointing." +
                           std::string(unaligned ? "unaligned.enabled" : "incremental") + "=true";
  constexpr int kRate = 100'000;
  folder.kill_at(silence_run(2, {"-D", kind}, kRate), "chk-4 done");
  folder.kill_at(silence_run(parallelism, {"-D", kind, "-s", "latest"}, kRate), " done");
  const Outcome outcome = folder.streamrun(silence_run(parallelism, {"-s", "latest"}, 0));
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(lines_in(folder.at("out")) == expected);
}

TEST_CASE("inspect: shows timers, which are state", "[cli]") {
  const Folder folder;
  folder.kill_at(silence_run(1, {}, 100'000), "chk-3 done");
  const std::string snapshot = folder.newest();
  CHECK(folder.streamrun({"verify", "--data", snapshot}).status == 0);
  const Outcome timers = folder.streamrun(
      {"inspect", snapshot, "--state", "silence/_timer_state/event_user-timers", "--limit", "3"});
  INFO(timers.out << timers.err);
  REQUIRE(timers.status == 0);
  CHECK(std::count(timers.out.begin(), timers.out.end(), '\n') == 3);
  CHECK(contains(timers.out, "["));
}

TEST_CASE("run: without periodic watermarks timers fire when the input ends", "[cli]") {
  const Folder folder;
  const Outcome outcome =
      folder.streamrun({"run", "-D", "pipeline.auto-watermark-interval=0", "inactivity", "--users",
                        "10", "--count", "100", "--rate", "0"});
  CHECK(outcome.status == 0);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 10);
}

}  // namespace streamrun::test
