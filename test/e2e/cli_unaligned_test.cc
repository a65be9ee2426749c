// Checkpoints under back pressure, with the real binary: what barriers overtake is in the snapshot
// and comes back.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

constexpr std::int64_t kKeys = 100;
constexpr std::int64_t kCount = 300'000;

/// `run` of slowsink with checkpoints each 50 ms. Its sinks take `sink_rate` rows a second.
Arguments run_of(int parallelism, const Arguments& flags, std::int64_t sink_rate,
                 bool unaligned = true) {
  Arguments arguments = {
      "run",
      "-p",
      std::to_string(parallelism),
      "-D",
      "state.checkpoints.dir=ckpt",
      "-D",
      "execution.checkpointing.interval=50ms",
      "-D",
      "execution.checkpointing.unaligned.enabled=" + std::string(unaligned ? "true" : "false")};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(),
                   {"slowsink", "--keys", std::to_string(kKeys), "--count", std::to_string(kCount),
                    "--sink-rate", std::to_string(sink_rate), "--output", "out"});
  return arguments;
}

/// The statistics of a checkpoint itself.
nlohmann::json statistics_of(const Folder& folder, const std::string& snapshot) {
  const Outcome inspected = folder.streamrun({"inspect", "--json", "--history", snapshot});
  REQUIRE(inspected.status == 0);
  return nlohmann::json::parse(inspected.out)["history"].back();
}

/// Of each account every row once, and the last total right.
void check_rows(const Folder& folder) {
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> amounts;
  std::int64_t rows = 0;
  for (const auto& entry : fs::directory_iterator(folder.at("out"))) {
    if (entry.path().filename().string().starts_with(".")) continue;
    std::ifstream part(entry.path());
    std::int64_t account = 0;
    std::int64_t payments = 0;
    std::int64_t amount = 0;
    while (part >> account >> payments >> amount) {
      ++rows;
      amounts[account][payments] = amount;
    }
  }
  CHECK(rows == kCount);
  constexpr std::int64_t kEach = kCount / kKeys;
  REQUIRE(amounts.size() == kKeys);
  for (const auto& [account, by_number] : amounts) {
    std::int64_t total = 0;
    for (std::int64_t i = 0; i < kEach; ++i) total += i * kKeys + account + 1;
    INFO("account " << account);
    REQUIRE(by_number.size() == kEach);
    CHECK(by_number.begin()->first == 1);
    CHECK(by_number.rbegin()->first == kEach);
    CHECK(by_number.rbegin()->second == total);
  }
}

/// Sinks that take a tenth of what sources give.
constexpr std::int64_t kSlow = 20'000;

}  // namespace

TEST_CASE("run: under back pressure unaligned checkpoints hold what barriers overtook", "[cli]") {
  const Folder folder;
  Arguments arguments = run_of(2, {}, kSlow);
  arguments.insert(arguments.end(), {"--rate", std::to_string(10 * kSlow)});
  // The first may come before anything is in flight.
  folder.kill_at(arguments, " in flight");
  const std::string snapshot = folder.newest();
  const nlohmann::json own = statistics_of(folder, snapshot);
  INFO(own.dump(2));
  CHECK(own["in_flight_bytes"] > 0);
  std::uint64_t bytes = 0;
  for (const auto& subtask : own["by_subtask"]) {
    const bool reads = !contains(subtask["task"], "Source");
    CHECK(subtask["unaligned"] == reads);
    const auto in_flight = subtask["in_flight_bytes"].get<std::uint64_t>();
    CHECK((reads || in_flight == 0));
    bytes += in_flight;
  }
  CHECK(own["in_flight_bytes"] == bytes);
  const Outcome shown = folder.streamrun({"inspect", "--history", snapshot});
  CHECK(contains(shown.out, "UNALIGNED"));
  CHECK(contains(shown.out, "  yes"));
}

TEST_CASE("run: aligned checkpoints, and unaligned ones that are in time, hold no records",
          "[cli]") {
  const Folder folder;
  const bool unaligned = GENERATE(false, true);
  Arguments flags = {"-D", "execution.checkpointing.aligned-checkpoint-timeout=1h"};
  if (!unaligned) flags.clear();
  // Less is queued than the sinks take while the test waits.
  Arguments arguments = run_of(2, flags, 50 * kSlow, unaligned);
  arguments.insert(arguments.end(), {"--rate", std::to_string(kSlow)});
  folder.kill_at(arguments, "chk-2 done");
  const nlohmann::json own = statistics_of(folder, folder.newest());
  CHECK(own["in_flight_bytes"] == 0);
  for (const auto& subtask : own["by_subtask"]) CHECK(subtask["unaligned"] == false);
}

TEST_CASE(
    "run: records in flight come back once after a kill, at the same, half and double parallelism",
    "[cli]") {
  const int parallelism = GENERATE(2, 1, 4);
  const Folder folder;
  folder.kill_at(run_of(2, {}, kSlow), "chk-3 done");
  REQUIRE(statistics_of(folder, folder.newest())["in_flight_bytes"] > 0);
  // Once more while what came back may still be in flight, then to the end.
  folder.kill_at(run_of(parallelism, {"-s", "latest"}, kSlow), " done");
  const Outcome outcome = folder.streamrun(run_of(parallelism, {"-s", "latest"}, 0));
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  check_rows(folder);
}

TEST_CASE("run: damaged records in flight are found before a record moves", "[cli]") {
  const bool cut = GENERATE(false, true);
  const Folder folder;
  folder.kill_at(run_of(2, {}, kSlow), "chk-3 done");
  const std::string snapshot = folder.newest();
  REQUIRE(statistics_of(folder, snapshot)["in_flight_bytes"] > 0);
  // The totals are few and lie in the metadata.
  std::string damaged;
  for (const auto& entry : fs::directory_iterator(snapshot)) {
    if (entry.path().filename() != "_metadata") damaged = entry.path();
  }
  REQUIRE_FALSE(damaged.empty());
  if (cut) {
    fs::resize_file(damaged, fs::file_size(damaged) - 1);
  } else {
    std::fstream file(damaged, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('\x55');
  }
  const Outcome outcome = folder.streamrun(run_of(2, {"-s", snapshot}, 0));
  CHECK(contains(outcome.err, "E-STATE-CORRUPT"));
  CHECK(contains(outcome.err, damaged));
  CHECK_FALSE(contains(outcome.err, "RUNNING"));
  CHECK(outcome.status == 65);
}

}  // namespace streamrun::test
