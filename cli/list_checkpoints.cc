#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/checkpoint_index.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "checkpoint_query.h"
#include "checkpoint_rows.h"
#include "command_table.h"
#include "latest_checkpoint.h"
#include "load.h"
#include "output.h"
#include "usage_error.h"

namespace streamrun {
namespace {

std::size_t count_of(const std::vector<SnapshotEntry>& entries, SnapshotStatus status) {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [&](const SnapshotEntry& entry) { return entry.status == status; }));
}

/// Leaves what belongs to the job that was named, if one was. A job of this binary may have nothing
/// yet; a name that nobody knows is a slip.
void keep_job(const CheckpointQuery& query, const JobTable& jobs, SnapshotListing& listing) {
  const auto choice = query.job.empty() ? std::nullopt : choose_job(listing, query.job);
  const bool known =
      std::any_of(jobs.begin(), jobs.end(), [&](const Job& job) { return job.name == query.job; });
  if (!query.job.empty() && !choice && !known) {
    usage_error(fmt::format("no job {} under {}{}", query.job, query.places(),
                            job_hint(query, listing, jobs)),
                {"streamrun list-checkpoints"});
  }
  keep_wanted(query, choice ? &*choice : nullptr, listing);
}

void sort_entries(std::vector<SnapshotEntry>& entries, std::string_view by) {
  const auto largest_first = [&](auto key) {
    std::stable_sort(entries.begin(), entries.end(),
                     [&](const auto& a, const auto& b) { return key(a) > key(b); });
  };
  if (by == "size") largest_first([](const SnapshotEntry& entry) { return entry.full_bytes; });
  if (by == "duration") largest_first([](const SnapshotEntry& entry) { return entry.took_ms(); });
  if (by == "job") {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.job_name < b.job_name; });
  }
}

void write(const SnapshotListing& listing, const CheckpointQuery& query,
           const Invocation& invocation) {
  const std::string form = invocation.value("--output").value_or("table");
  const bool all = invocation.has("--all");
  if (invocation.global.json) return print(checkpoint_json(listing.entries, listing.folders, all));
  if (form == "path") {
    for (const SnapshotEntry& entry : listing.entries) print(entry.path + "\n");
    return;
  }
  if (listing.entries.empty() && listing.folders.empty()) return;
  print(checkpoint_table(listing.entries, listing.folders,
                         {.wide = form == "wide",
                          .with_status = all,
                          .shorten_ids = is_terminal(STDOUT_FILENO) && form != "wide",
                          .now_unix_ms = query.now_unix_ms,
                          .working_directory = working_directory()}));
}

/// Takes unfinished and damaged ones out of the list, and jobs that finished; says so.
void hide_others(SnapshotListing& listing, const GlobalFlags& global) {
  std::vector<std::string> hidden;
  if (const auto count = count_of(listing.entries, SnapshotStatus::damaged); count > 0) {
    hidden.push_back(fmt::format("{} damaged", count));
  }
  if (const auto count = count_of(listing.entries, SnapshotStatus::unfinished); count > 0) {
    hidden.push_back(fmt::format("{} unfinished", count));
  }
  if (!hidden.empty()) print_note(join(hidden, " and ") + " not shown (--all)", global);
  listing.folders.clear();
  std::erase_if(listing.entries, [](const SnapshotEntry& entry) {
    return entry.status != SnapshotStatus::complete;
  });
}

int list(const CheckpointQuery& query, const Invocation& invocation) {
  SnapshotListing listing = everything_at(query, invocation.global);
  keep_job(query, *invocation.jobs, listing);
  std::erase_if(listing.folders, [](const JobFolder& folder) { return !folder.finished; });
  if (!invocation.has("--all")) hide_others(listing, invocation.global);
  sort_entries(listing.entries, invocation.value("--sort").value_or("age"));
  write(listing, query, invocation);
  if (listing.entries.empty()) {
    print_note(fmt::format("no complete checkpoint{} under {}", query.of_job(), query.places()),
               invocation.global);
  }
  return 0;
}

}  // namespace

int list_checkpoints_command(const Invocation& invocation) {
  const CheckpointQuery query = make_checkpoint_query(invocation);
  if (!invocation.has("--latest")) return list(query, invocation);
  const SnapshotEntry newest = latest_checkpoint(query, invocation.global, *invocation.jobs);
  print(invocation.global.json ? checkpoint_json({newest}, {}, false) : newest.path + "\n");
  return 0;
}

}  // namespace streamrun
