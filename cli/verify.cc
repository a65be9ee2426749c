#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/verify_snapshot.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "assemble.h"
#include "checkpoint_query.h"
#include "command_table.h"
#include "output.h"
#include "snapshot_operand.h"
#include "usage_error.h"

namespace streamrun {
namespace {

using Json = nlohmann::ordered_json;

/// What was found at one snapshot.
struct Verdict {
  std::string path;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<Error> damage;
};

Verdict verify_one(const FoundSnapshot& found, bool read_data) {
  const ResolvedSnapshot& snapshot = found.snapshot;
  return {.path = snapshot.directory,
          .files = files_of(snapshot.metadata).size(),
          .bytes = snapshot.full_bytes,
          .damage = find_damage(*found.files, snapshot.directory, snapshot.metadata, read_data)};
}

/// Of one whose metadata itself can't be read.
Verdict damaged(std::string path, Error error) {
  return {.path = std::move(path), .files = 0, .bytes = 0, .damage = {std::move(error)}};
}

std::vector<Verdict> verify_all(const Invocation& invocation, bool read_data) {
  const CheckpointQuery query = make_checkpoint_query(invocation);
  const SnapshotListing listing = everything_at(query, invocation.global);
  std::vector<Verdict> verdicts;
  for (const SnapshotEntry& entry : listing.entries) {
    if (entry.status == SnapshotStatus::unfinished) continue;
    if (entry.damage) {
      verdicts.push_back(damaged(entry.path, *entry.damage));
      continue;
    }
    FileSystem& files = query.store_of(entry.path);
    Result<ResolvedSnapshot> snapshot = read_snapshot(files, entry.path);
    verdicts.push_back(
        snapshot ? verify_one({.files = &files, .snapshot = *std::move(snapshot)}, read_data)
                 : damaged(entry.path, std::move(snapshot).error()));
  }
  if (verdicts.empty()) {
    print_note(fmt::format("no complete checkpoint under {}", query.places()), invocation.global);
  }
  return verdicts;
}

std::string as_text(const Verdict& verdict, bool read_data) {
  if (verdict.damage.empty()) {
    return fmt::format("ok      {}  {} in {} file{}, {}\n", verdict.path,
                       human_bytes(verdict.bytes), verdict.files, verdict.files == 1 ? "" : "s",
                       read_data ? "every byte read" : "lengths only (--data reads them)");
  }
  std::string text;
  for (const Error& error : verdict.damage) {
    text += fmt::format("damage  {}  {}\n", verdict.path, error.headline());
  }
  return text;
}

Json as_json(const Verdict& verdict) {
  Json json = {{"path", verdict.path},
               {"ok", verdict.damage.empty()},
               {"files", verdict.files},
               {"bytes", verdict.bytes},
               {"damage", Json::array()}};
  for (const Error& error : verdict.damage) {
    json["damage"].push_back({{"code", info_of(error.code).text},
                              {"what", error.message},
                              {"where", error.where},
                              {"why", error.why}});
  }
  return json;
}

void write(const std::vector<Verdict>& verdicts, bool read_data, const GlobalFlags& global) {
  if (!global.json) {
    for (const Verdict& verdict : verdicts) print(as_text(verdict, read_data));
    return;
  }
  Json document = {{"v", 1}, {"data", read_data}, {"snapshots", Json::array()}};
  for (const Verdict& verdict : verdicts) document["snapshots"].push_back(as_json(verdict));
  print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

int verify_command(const Invocation& invocation) {
  const bool read_data = invocation.has("--data");
  const bool all = invocation.has("--all");
  if (all == !invocation.operands.empty()) {
    usage_error("verify takes one snapshot, or --all for every one under the configured folders",
                {"streamrun list-checkpoints"});
  }
  std::vector<Verdict> verdicts;
  if (all) {
    verdicts = verify_all(invocation, read_data);
  } else {
    const std::unique_ptr<FileSystems> stores = make_file_systems(invocation.global);
    verdicts.push_back(verify_one(find_snapshot(invocation.operands.front(), *stores), read_data));
  }
  write(verdicts, read_data, invocation.global);
  int status = 0;
  for (const Verdict& verdict : verdicts) {
    for (const Error& error : verdict.damage) {
      // What could not be looked at is not damaged, unless something else is.
      const ErrorCode code =
          error.code == ErrorCode::unavailable ? ErrorCode::unavailable : ErrorCode::state_corrupt;
      if (status == 0 || code == ErrorCode::state_corrupt) status = info_of(code).exit_status;
    }
  }
  return status;
}

}  // namespace streamrun
