#include <streamrun/checkpoint/prune_plan.h>

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kNow = 1'780'000'000'000 / (24 * kHour) * (24 * kHour) + 12 * kHour;  // noon

SnapshotEntry checkpoint(const std::string& job, CheckpointId id, std::int64_t hours_ago) {
  SnapshotEntry entry;
  entry.path = "/ckpt/" + job + "/chk-" + std::to_string(id);
  entry.status = SnapshotStatus::complete;
  entry.id = id;
  entry.job_name = job;
  entry.completed_unix_ms = kNow - hours_ago * kHour;
  entry.metadata_bytes = 1;
  return entry;
}

/// What stays, by its id and the reason.
std::map<CheckpointId, std::string> kept(
    const std::vector<SnapshotEntry>& entries, const PrunePolicy& policy,
    const WhySpared& why_spared = [](const auto&) { return std::string(); }) {
  std::map<CheckpointId, std::string> reasons;
  for (const PruneStep& step : plan_prune(entries, policy, why_spared)) {
    if (!step.removes) reasons.emplace(step.entry.id, step.reason);
  }
  return reasons;
}

using Kept = std::map<CheckpointId, std::string>;

TEST_CASE("prune: the newest of each job name stay", "[checkpoint]") {
  const std::vector<SnapshotEntry> entries = {checkpoint("a", 19, 1), checkpoint("b", 7, 2),
                                              checkpoint("a", 18, 3), checkpoint("a", 17, 4)};
  CHECK((kept(entries, {.keep_last = 2}) ==
         Kept{{19, "last 1 of 2"}, {18, "last 2 of 2"}, {7, "last 1 of 2"}}));
  const auto steps =
      plan_prune(entries, {.keep_last = 2}, [](const auto&) { return std::string(); });
  REQUIRE(steps.size() == 4);
  CHECK(steps[2].removes);
  CHECK(steps[2].reason == "older than last 2");
  CHECK(steps[3].entry.job_name == "b");
}

TEST_CASE("prune: young ones stay, and the newest of each day", "[checkpoint]") {
  const std::vector<SnapshotEntry> entries = {checkpoint("a", 9, 1),  checkpoint("a", 8, 5),
                                              checkpoint("a", 7, 20), checkpoint("a", 6, 30),
                                              checkpoint("a", 5, 90), checkpoint("a", 4, 200)};
  CHECK((kept(entries, {.keep_last = 1, .keep_after_unix_ms = kNow - 5 * kHour}) ==
         Kept{{9, "last 1 of 1"}, {8, "young enough"}}));
  // Days without any do not count.
  const Kept daily = kept(entries, {.keep_last = 1, .keep_daily = 3});
  REQUIRE(daily.size() == 3);
  CHECK(daily.at(7).starts_with("newest of 20"));
  CHECK(daily.contains(5));
}

TEST_CASE("prune: what is damaged, unfinished or a savepoint is not spoken of", "[checkpoint]") {
  std::vector<SnapshotEntry> entries = {checkpoint("a", 5, 1), checkpoint("a", 4, 2),
                                        checkpoint("a", 3, 3), checkpoint("a", 2, 4)};
  entries[0].status = SnapshotStatus::damaged;
  entries[1].status = SnapshotStatus::unfinished;
  entries[2].kind = SnapshotKind::savepoint;
  CHECK((kept(entries, {.keep_last = 1}) == Kept{{2, "last 1 of 1"}}));
  CHECK((kept(entries, {.keep_last = 1, .savepoints = true}) == Kept{{3, "last 1 of 1"}}));
}

TEST_CASE("prune: what is spared stays and counts", "[checkpoint]") {
  const std::vector<SnapshotEntry> entries = {checkpoint("a", 3, 1), checkpoint("a", 2, 2),
                                              checkpoint("a", 1, 3)};
  const auto spared = [](const SnapshotEntry& entry) {
    return std::string(entry.id == 2 ? "in use" : "");
  };
  CHECK((kept(entries, {.keep_last = 1}, spared) == Kept{{3, "last 1 of 1"}, {2, "in use"}}));
}

TEST_CASE("prune: a file goes with the last that needs it, or stays with one that is kept",
          "[checkpoint]") {
  const std::vector<SnapshotEntry> entries = {checkpoint("a", 3, 1), checkpoint("a", 2, 2),
                                              checkpoint("a", 1, 3)};
  const std::map<CheckpointId, std::vector<NeededFile>> files = {
      {9, {{"/other", 1000}}},
      {3, {{"/new", 1}, {"/all", 10}}},
      {2, {{"/all", 10}, {"/two", 100}}},
      {1, {{"/all", 10}, {"/two", 100}, {"/other", 1000}, {"/old", 10000}}}};
  const auto needed = [&](const SnapshotEntry& entry) { return files.at(entry.id); };
  auto steps = plan_prune(entries, {.keep_last = 1}, [](const auto&) { return std::string(); });
  weigh(steps, {checkpoint("b", 9, 0)}, needed);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].freed_bytes == 0);
  CHECK(steps[1].freed_bytes == 100 + 1);
  CHECK(steps[1].staying_bytes == 10);
  CHECK(steps[1].needed_by == "chk-3");
  CHECK(steps[2].freed_bytes == 10000 + 1);
  CHECK(steps[2].staying_bytes == 1010);
}

}  // namespace
}  // namespace streamrun
