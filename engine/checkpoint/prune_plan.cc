#include <streamrun/base/assert.h>
#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/prune_plan.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/storage/file_system.h>

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

/// `2026-11-29`, in UTC.
std::string day_of(const SnapshotEntry& entry) {
  return rfc3339(entry.completed_unix_ms).substr(0, 10);
}

/// The policy applied to the snapshots of one job, the newest first.
class OneJob {
 public:
  OneJob(const PrunePolicy& policy, const WhySpared& why_spared)
      : policy_(policy), why_spared_(why_spared) {}

  PruneStep decide(const SnapshotEntry& entry) {
    PruneStep step{.entry = entry};
    step.reason = reason_to_keep(entry);
    if (step.reason.empty()) step.reason = why_spared_(entry);
    step.removes = step.reason.empty();
    if (step.removes) step.reason = fmt::format("older than last {}", policy_.keep_last);
    return step;
  }

 private:
  std::string reason_to_keep(const SnapshotEntry& entry) {
    ++seen_;
    std::string day = day_of(entry);
    const bool is_newest_of_day = day != last_day_;
    if (is_newest_of_day) ++days_;
    last_day_ = day;
    if (seen_ <= policy_.keep_last) return fmt::format("last {} of {}", seen_, policy_.keep_last);
    if (policy_.keep_after_unix_ms && entry.completed_unix_ms >= *policy_.keep_after_unix_ms)
      return "young enough";
    if (is_newest_of_day && days_ <= policy_.keep_daily) return "newest of " + day;
    return {};
  }

  const PrunePolicy& policy_;
  const WhySpared& why_spared_;
  int seen_ = 0;
  int days_ = 0;
  std::string last_day_;
};

std::string short_name(const SnapshotEntry& entry) {
  return entry.kind == SnapshotKind::savepoint ? base_name(entry.path)
                                               : checkpoint_folder_name(entry.id);
}

}  // namespace

std::vector<PruneStep> plan_prune(const std::vector<SnapshotEntry>& newest_first,
                                  const PrunePolicy& policy, const WhySpared& why_spared) {
  SR_ASSERT(policy.keep_last >= 1, "D4: the newest of a job is never pruned");
  std::map<std::string, OneJob> jobs;
  std::vector<PruneStep> steps;
  for (const SnapshotEntry& entry : newest_first) {
    if (entry.status != SnapshotStatus::complete) continue;
    if (entry.kind == SnapshotKind::savepoint && !policy.savepoints) continue;
    const auto job = jobs.try_emplace(entry.job_name, policy, why_spared).first;
    steps.push_back(job->second.decide(entry));
  }
  std::stable_sort(steps.begin(), steps.end(), [](const PruneStep& a, const PruneStep& b) {
    return a.entry.job_name < b.entry.job_name;
  });
  return steps;
}

void weigh(std::vector<PruneStep>& steps, const std::vector<SnapshotEntry>& others,
           const NeededFiles& needed_files) {
  std::map<std::string, std::string> kept;  // path of a file -> who needs it
  std::map<std::string, int> going;         // path -> how many that are removed need it
  for (const PruneStep& step : steps) {
    for (const NeededFile& file : needed_files(step.entry)) {
      if (step.removes) {
        ++going[file.path];
      } else {
        kept.try_emplace(file.path, short_name(step.entry));
      }
    }
  }
  for (const SnapshotEntry& other : others) {
    for (const NeededFile& file : needed_files(other))
      kept.try_emplace(file.path, short_name(other));
  }
  // They go the oldest first.
  for (std::size_t left = steps.size(); left > 0; --left) {
    PruneStep& step = steps[left - 1];
    if (!step.removes) continue;
    step.freed_bytes = step.entry.metadata_bytes;
    for (const NeededFile& file : needed_files(step.entry)) {
      const auto needs = kept.find(file.path);
      if (needs != kept.end()) {
        step.staying_bytes += file.bytes;
        if (step.needed_by.empty()) step.needed_by = needs->second;
      } else if (--going[file.path] == 0) {
        step.freed_bytes += file.bytes;
      }
    }
  }
}

}  // namespace streamrun
