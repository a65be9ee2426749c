#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/config/values.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "checkpoint_query.h"
#include "command_table.h"
#include "load.h"
#include "output.h"
#include "prune_work.h"
#include "table.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

int count_of(const Invocation& invocation, std::string_view flag, int least, int otherwise) {
  const auto text = invocation.value(flag);
  if (!text) return otherwise;
  const auto count = parse_long(*text);
  if (!count || *count < least || *count > 1'000'000) {
    usage_error(
        fmt::format("{} takes a number from {} on, not \"{}\"", flag, least, text->substr(0, 64)));
  }
  return static_cast<int>(*count);
}

PrunePolicy policy_of(const Invocation& invocation, std::int64_t now_unix_ms) {
  PrunePolicy policy;
  policy.keep_last = count_of(invocation, "--keep-last", 1, policy.keep_last);
  policy.keep_daily = count_of(invocation, "--keep-daily", 0, 0);
  policy.savepoints = invocation.has("--savepoints");
  const auto within = invocation.value("--keep-within");
  if (!within) return policy;
  const auto age = parse_duration(*within);
  // Milliseconds, which a bare number means elsewhere, nobody means here.
  const bool has_unit = within->find_first_not_of("0123456789 \t") != std::string::npos;
  if (!age || !has_unit) {
    usage_error(fmt::format("--keep-within takes a time with its unit, such as 2h, not \"{}\"",
                            within->substr(0, 64)));
  }
  policy.keep_after_unix_ms =
      now_unix_ms - std::chrono::duration_cast<std::chrono::milliseconds>(*age).count();
  return policy;
}

/// Checkpoints whose files are not all there are no reason to remove others.
void find_damaged(const CheckpointQuery& query, SnapshotListing& all) {
  for (SnapshotEntry& entry : all.entries) {
    if (entry.status != SnapshotStatus::complete) continue;
    FileSystem& files = query.store_of(entry.path);
    const Result<ResolvedSnapshot> snapshot = read_snapshot(files, entry.path);
    const Result<void> whole =
        snapshot ? verify_files(files, entry.path, snapshot->metadata, /*read_data=*/false)
                 : Result<void>(snapshot.error());
    if (whole) continue;
    entry.status = SnapshotStatus::damaged;
    entry.damage = whole.error();
  }
}

/// What belongs to the job that was named, if one was.
SnapshotListing wanted_of(const CheckpointQuery& query, const SnapshotListing& all,
                          const JobTable& jobs) {
  SnapshotListing wanted = all;
  if (query.job.empty()) return wanted;
  const auto choice = choose_job(all, query.job);
  if (!choice) {
    usage_error(
        fmt::format("no job {} under {}{}", query.job, query.places(), job_hint(query, all, jobs)),
        {"streamrun list-checkpoints"});
  }
  keep_wanted(query, &*choice, wanted);
  return wanted;
}

std::string shown(const std::string& path) {
  const std::string inside = working_directory() + "/";
  return path.starts_with(inside) ? path.substr(inside.size()) : path;
}

std::string frees(const PruneStep& step) {
  if (!step.removes) return {};
  if (step.staying_bytes == 0) return human_bytes(step.freed_bytes);
  return fmt::format("{} ({} stay: needed by {})", human_bytes(step.freed_bytes),
                     human_bytes(step.staying_bytes), step.needed_by);
}

const char* name_of_action(const PruneStep& step) {
  return step.removes ? "remove" : "keep";
}

std::string as_table(const PruneWork& work) {
  Table table({"JOB", "CHECKPOINT", "ACTION", "REASON", "FREES"});
  for (const PruneStep& step : work.steps()) {
    table.add({step.entry.job_name, shown(step.entry.path), name_of_action(step), step.reason,
               frees(step)});
  }
  for (const Orphan& orphan : work.orphans())
    table.add(
        {"", shown(orphan.path), "remove", "nothing refers to it", human_bytes(orphan.bytes)});
  return table.empty() ? "" : table.text();
}

Json json_of(const PruneStep& step, const PruneWork& work) {
  Json json = {{"path", step.entry.path},
               {"job", step.entry.job_name},
               {"action", name_of_action(step)},
               {"reason", step.reason}};
  if (!step.removes) return json;
  json["frees_bytes"] = step.freed_bytes;
  json["stays_bytes"] = step.staying_bytes;
  if (!step.needed_by.empty()) json["needed_by"] = step.needed_by;
  json["removed"] = work.is_gone(step.entry.path);
  return json;
}

std::string as_json(const PruneWork& work, bool is_dry) {
  Json document = {
      {"v", 1}, {"dry_run", is_dry}, {"checkpoints", Json::array()}, {"orphans", Json::array()}};
  for (const PruneStep& step : work.steps()) document["checkpoints"].push_back(json_of(step, work));
  for (const Orphan& orphan : work.orphans()) {
    document["orphans"].push_back({{"path", orphan.path},
                                   {"frees_bytes", orphan.bytes},
                                   {"removed", work.is_gone(orphan.path)}});
  }
  document["freed_bytes"] = work.freed_bytes();
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// `1 of 3`
std::string so_many(std::size_t count, const PruneWork& work) {
  return fmt::format("{} of {}", count, work.steps().size() + work.orphans().size());
}

bool ask(const PruneWork& work, const Invocation& invocation) {
  if (invocation.global.json || !is_terminal(STDIN_FILENO)) {
    const std::string line = "streamrun " + join(invocation.line, " ");
    usage_error("prune removes after a question that a person answers, or with --yes",
                {line + " --dry-run", line + " --yes"});
  }
  std::cerr << fmt::format("remove {} and free {}? [y/N] ", so_many(work.to_remove(), work),
                           human_bytes(work.bytes_to_free()))
            << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void note_what_stays(const CheckpointQuery& query, const SnapshotListing& wanted,
                     const PruneWork& work, const GlobalFlags& global) {
  const auto damaged =
      std::count_if(wanted.entries.begin(), wanted.entries.end(),
                    [](const auto& entry) { return entry.status == SnapshotStatus::damaged; });
  if (damaged > 0) print_note(fmt::format("{} damaged left alone (verify --all)", damaged), global);
  if (work.steps().empty()) {
    print_note(fmt::format("no complete checkpoint{} under {}", query.of_job(), query.places()),
               global);
  }
}

/// False: somebody said no.
bool remove_all(PruneWork& work, const Invocation& invocation, bool& failed) {
  if (!invocation.global.yes && !ask(work, invocation)) {
    print_note("nothing was removed", invocation.global);
    return false;
  }
  for (const PruneFailure& failure : work.remove_all()) {
    failed = true;
    print_warning("could not remove " + failure.path + ": " + failure.error.headline(),
                  invocation.global);
  }
  return true;
}

}  // namespace

int prune_command(const Invocation& invocation) {
  const CheckpointQuery query = make_checkpoint_query(invocation);
  const PrunePolicy policy = policy_of(invocation, query.now_unix_ms);
  SnapshotListing all = everything_at(query, invocation.global);
  find_damaged(query, all);
  const SnapshotListing wanted = wanted_of(query, all, *invocation.jobs);
  PruneWork work(query, all, wanted, policy);
  if (invocation.has("--orphans")) {
    for (const Error& problem : work.find_orphans_in(wanted.folders))
      print_warning("orphans beside it are left alone: " + problem.headline(), invocation.global);
  }
  const bool is_dry = invocation.has("--dry-run");
  const bool json = invocation.global.json;
  if (!json) print(as_table(work));
  note_what_stays(query, wanted, work, invocation.global);
  bool failed = false;
  if (!is_dry && work.to_remove() > 0 && remove_all(work, invocation, failed)) {
    print_note(fmt::format("removed {}, freed {}", so_many(work.removed(), work),
                           human_bytes(work.freed_bytes())),
               invocation.global);
  }
  if (json) print(as_json(work, is_dry));
  return failed ? info_of(ErrorCode::store_io).exit_status : 0;
}

}  // namespace streamrun
