#include "sim/store_oracle.h"

#include <streamrun/base/checksum.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>
#include <streamrun/checkpoint/verify_snapshot.h>
#include <streamrun/connectors/file/part_name.h>
#include <streamrun/operators/sink_operator.h>
#include <streamrun/state/shared_file.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "sim/mutant_sink.h"
#include "sim/sim_kafka.h"

namespace streamrun::sim {
namespace {

bool is_metadata(const std::string& path) {
  return base_name(path) == kMetadataName &&
         (path.starts_with(kCheckpointRoot) || path.starts_with(kSavepointRoot));
}

bool is_output(const std::string& path) {
  return path.starts_with("/out");
}

bool is_finished_part(const std::string& path) {
  return is_output(path) && base_name(path).starts_with("part-");
}

/// Under the name that others know it by.
bool is_in_shared(const std::string& path) {
  return path.starts_with(kCheckpointRoot) && base_name(parent_path(path)) == kSharedName &&
         !is_shared_temporary_name(base_name(path));
}

std::set<std::string> committables_of(const CheckpointMetadata& metadata) {
  std::set<std::string> names;
  for (const OperatorSnapshot& op : metadata.operators) {
    for (const OperatorSubtaskState& subtask : op.subtasks) {
      for (const OperatorListState& list : subtask.lists) {
        if (list.name != kCommittablesState) continue;
        const bool is_kafka = list.type.starts_with("kafka");
        for (const std::string& element : list.elements)
          names.insert((is_kafka ? part_named_by_kafka(element) : part_named_by(element)).name);
      }
    }
  }
  return names;
}

std::string wrong_count(const std::string& folder, const std::string& line, std::int64_t found,
                        std::int64_t expected) {
  return fmt::format("G3: in {} the line \"{}\" stands {} times, expected {}", folder, line, found,
                     expected);
}

}  // namespace

void StoreOracle::violate(const std::string& text) {
  if (!violation_) violation_ = text;
}

void StoreOracle::protect(const std::string& path) {
  protected_[path] = store_.files().at(path);
}

void StoreOracle::check_protected() {
  if (protected_.empty()) return;
  const std::map<std::string, std::string> files = store_.files();
  for (const auto& [path, bytes] : protected_) {
    const auto found = files.find(path);
    if (found == files.end() || found->second != bytes) {
      violate("R3: " + path + " is somebody else's, and has changed or is gone");
    }
  }
}

void StoreOracle::created_directory(const std::string& path) {
  if (!checkpoint_id_of_name(base_name(path))) return;
  if (!checkpoint_folders_.insert(path).second) violate("D3: " + path + " is made a second time");
}

void StoreOracle::renamed(const std::string& from, const std::string& to) {
  if (is_metadata(to)) return published(parent_path(to), false);
  if (is_finished_part(to)) finished_part(to);
  if (is_in_shared(to)) named_shared_file(to);
  if (parts_.contains(from)) violate("G3: the finished part " + from + " is renamed");
  if (protected_.contains(from)) violate("R3: " + from + " is somebody else's, and is renamed");
}

/// Decodes what has just become visible and looks at all that it refers to.
void StoreOracle::published(const std::string& folder, bool read_data) {
  const Result<ResolvedSnapshot> read = read_snapshot(store_, folder);
  if (!read) return violate("D2: " + folder + " can't be read: " + read.error().headline());
  const Result<void> verified = verify_files(store_, folder, read->metadata, read_data);
  if (!verified) return violate("D2: " + folder + ": " + verified.error().headline());
  Snapshot snapshot{.id = read->metadata.id,
                    .is_savepoint = read->metadata.kind == SnapshotKind::savepoint,
                    .is_durable = false,
                    .is_relied_on = false,
                    .process = process_,
                    .files = {},
                    .committables = committables_of(read->metadata)};
  for (const StateFile* file : files_of(read->metadata)) {
    snapshot.files.insert(state_file_path(folder, *file));
  }
  visible_[folder] = std::move(snapshot);
}

void StoreOracle::prepares(const std::string& folder, const Snapshot& snapshot) {
  for (const std::string& name : snapshot.committables) prepared_[name].insert(folder);
}

void StoreOracle::became_durable(const std::string& folder, Snapshot& snapshot) {
  snapshot.is_durable = true;
  if (!snapshot.is_savepoint || savepoints_may_commit_) prepares(folder, snapshot);
  // Only a savepoint may be complete after a newer one.
  if (!snapshot.is_savepoint && snapshot.id <= highest_durable_checkpoint_) {
    violate("D3: checkpoint " + std::to_string(snapshot.id) + " is complete after " +
            std::to_string(highest_durable_));
  }
  highest_durable_ = std::max(highest_durable_, snapshot.id);
  if (!snapshot.is_savepoint)
    highest_durable_checkpoint_ = std::max(highest_durable_checkpoint_, snapshot.id);
  ++durable_checkpoints_;
}

void StoreOracle::finished_part(const std::string& path) {
  if (!prepared_.contains(base_name(path))) {
    violate("E1: " + path + " is visible before a checkpoint that prepared it is durable");
  }
  const Result<std::string> bytes = store_.read_all(path, std::uint64_t{1} << 30U);
  if (!bytes) return violate("G3: " + path + " can't be read: " + bytes.error().headline());
  parts_[path] = {.hash = xxh3_64(*bytes), .is_durable = false};
}

/// One name has one content.
void StoreOracle::named_shared_file(const std::string& path) {
  const Result<std::string> bytes = store_.read_all(path, std::uint64_t{1} << 30U);
  if (!bytes) return violate("R6: " + path + " can't be read: " + bytes.error().headline());
  if (base_name(path) != xxh3_128_hex(*bytes) + "-" + std::to_string(bytes->size()))
    violate("R6: " + path + " has other bytes than its name says");
}

bool StoreOracle::is_referenced(const std::string& path) const {
  return std::any_of(visible_.begin(), visible_.end(),
                     [&](const auto& entry) { return entry.second.files.contains(path); });
}

bool StoreOracle::has_newer_durable(CheckpointId id) const {
  return std::any_of(visible_.begin(), visible_.end(), [&](const auto& entry) {
    return entry.second.is_durable && entry.second.id > id;
  });
}

bool StoreOracle::is_finished(const std::string& job_folder) const {
  return store_.status(join_path(job_folder, kFinishedName)).has_value();
}

void StoreOracle::relied_on(CheckpointId id) {
  highest_relied_on_ = std::max(highest_relied_on_, id);
  for (auto& [folder, snapshot] : visible_) {
    if (snapshot.id == id) snapshot.is_relied_on = true;
  }
}

/// As if it had never been complete: nothing that only it has prepared may be committed.
void StoreOracle::withdrawn(const std::string& folder) {
  visible_.erase(folder);
  for (auto name = prepared_.begin(); name != prepared_.end();) {
    name->second.erase(folder);
    name = name->second.empty() ? prepared_.erase(name) : std::next(name);
  }
  highest_durable_ = highest_relied_on_;
  for (const auto& [other, snapshot] : visible_) {
    if (snapshot.is_durable) highest_durable_ = std::max(highest_durable_, snapshot.id);
  }
}

void StoreOracle::removed(const std::string& path) {
  if (protected_.contains(path)) violate("R3: " + path + " is somebody else's, and is removed");
  if (parts_.contains(path)) violate("G3: the finished part " + path + " is removed");
  if (is_metadata(path)) {
    const auto found = visible_.find(parent_path(path));
    if (found == visible_.end()) return;
    const Snapshot& gone = found->second;
    const bool is_in_doubt = is_elsewhere_ && !gone.is_relied_on && gone.process == process_;
    if (is_in_doubt) return withdrawn(found->first);
    // One that could not be made durable is withdrawn.
    if (gone.is_savepoint && gone.is_durable && !claimed_.contains(found->first))
      violate("R1: " + path + " is removed, and is of a savepoint");
    const bool is_last = gone.is_durable && !has_newer_durable(gone.id);
    if (is_last && !is_finished(parent_path(parent_path(path)))) {
      violate("D4: " + path + " is removed, and no newer checkpoint is there");
    }
    visible_.erase(found);
    return;
  }
  if (is_referenced(path))
    violate("R1: " + path + " is removed, and a visible checkpoint needs it");
  const bool is_to_be_committed = is_output(path) && is_prepared_by_visible(base_name(path));
  if (is_to_be_committed && !is_committed(path))
    violate("R1: " + path + " is removed, and a visible snapshot is going to commit it");
}

void StoreOracle::synced_directory(const std::string& path) {
  const auto found = visible_.find(path);
  if (found != visible_.end() && !found->second.is_durable) became_durable(path, found->second);
  if (!is_output(path)) return;
  for (auto& [part, state] : parts_) {
    if (parent_path(part) == path) state.is_durable = true;
  }
}

/// What is there after a power cut is on the disk; what was promised must be.
void StoreOracle::after_power_cut() {
  const std::map<std::string, Snapshot> before = std::exchange(visible_, {});
  const std::map<std::string, std::string> files = store_.files();
  for (const auto& [folder, snapshot] : before) {
    if (snapshot.is_durable && !files.contains(join_path(folder, kMetadataName))) {
      violate("D1: " + folder + " was complete and is gone after a power cut");
    }
  }
  for (const auto& [path, bytes] : files) {
    if (is_metadata(path)) published(parent_path(path), true);
  }
  for (auto& [folder, snapshot] : visible_) {
    snapshot.is_durable = true;
    highest_durable_ = std::max(highest_durable_, snapshot.id);
    if (!snapshot.is_savepoint)
      highest_durable_checkpoint_ = std::max(highest_durable_checkpoint_, snapshot.id);
    if (snapshot.is_savepoint && !savepoints_may_commit_) continue;
    prepares(folder, snapshot);
  }
  check_parts(true);
}

void StoreOracle::heard_of_completion(CheckpointId id) {
  if (id > highest_durable_) {
    violate("D1: checkpoint " + std::to_string(id) + " is said to be complete and is not durable");
  }
  relied_on(id);
}

void StoreOracle::savepoints_may_commit() {
  savepoints_may_commit_ = true;
  for (const auto& [folder, snapshot] : visible_) {
    if (snapshot.is_durable) prepares(folder, snapshot);
  }
}

void StoreOracle::restoring(std::optional<CheckpointId> id) {
  for (const auto& [folder, snapshot] : visible_) {
    if (id && snapshot.id == *id) prepares(folder, snapshot);
  }
  if (id) relied_on(*id);
  if (highest_durable_ > 0 && !id) {
    violate("L1: a fresh start, though checkpoint " + std::to_string(highest_durable_) +
            " was complete");
  } else if (id && *id < highest_durable_) {
    violate("G8: checkpoint " + std::to_string(*id) + " is restored, though " +
            std::to_string(highest_durable_) + " was complete");
  }
}

void StoreOracle::check_parts(bool after_power_cut) {
  const std::map<std::string, std::string> files = store_.files();
  for (auto part = parts_.begin(); part != parts_.end();) {
    const auto found = files.find(part->first);
    if (found == files.end() && after_power_cut && !part->second.is_durable) {
      part = parts_.erase(part);  // its new name was not synced
      continue;
    }
    if (found == files.end()) {
      violate("G3: the finished part " + part->first + " is gone");
    } else if (xxh3_64(found->second) != part->second.hash) {
      violate("G3: the finished part " + part->first + " has changed");
    }
    if (after_power_cut) part->second.is_durable = true;
    ++part;
  }
  for (const auto& [path, bytes] : files) {
    if (is_finished_part(path) && !parts_.contains(path))
      violate("E1: " + path + " came from nowhere");
  }
}

ExpectedOutput StoreOracle::output_lines() const {
  ExpectedOutput lines;
  if (kafka_ != nullptr) {
    for (const auto& [topic, of_topic] : kafka_->topics()) {
      for (const std::string& line : of_topic) ++lines[topic][line];
    }
    return lines;
  }
  for (const auto& [path, bytes] : store_.files()) {
    if (!is_finished_part(path)) continue;
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      ++lines[parent_path(path)][std::string(rest.substr(0, end))];
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return lines;
}

void StoreOracle::check_partial_output(const ExpectedOutput& expected) {
  check_parts(false);
  check_protected();
  check_no_line_too_often(output_lines(), expected);
}

void StoreOracle::check_no_line_too_often(const ExpectedOutput& found_lines,
                                          const ExpectedOutput& expected) {
  repeated_lines_ = 0;
  for (const auto& [folder, lines] : found_lines) {
    const auto of_folder = expected.find(folder);
    for (const auto& [line, count] : lines) {
      const auto found = of_folder->second.find(line);
      const std::int64_t most = found != of_folder->second.end() ? found->second : 0;
      if (count > most && may_repeat_lines_)
        repeated_lines_ += static_cast<std::uint64_t>(count - most);
      if (count > most && !may_repeat_lines_) {
        return violate(wrong_count(folder, line, count, most));
      }
    }
  }
}

void StoreOracle::check_whole_output(const ExpectedOutput& expected) {
  check_parts(false);
  check_protected();
  ExpectedOutput found = output_lines();
  check_no_line_too_often(found, expected);
  for (const auto& [folder, lines] : expected) {
    for (const auto& [line, count] : lines) {
      if (found[folder][line] >= count) continue;
      return violate(wrong_count(folder, line, found[folder][line], count));
    }
  }
}

/// A savepoint stays, and what it is going to commit when it is restored.
bool StoreOracle::is_prepared_by_visible(const std::string& name) const {
  return std::any_of(visible_.begin(), visible_.end(), [&](const auto& entry) {
    const std::set<std::string>& parts = entry.second.committables;
    return std::any_of(parts.begin(), parts.end(),
                       [&](const std::string& part) { return name == hidden_name_of(part); });
  });
}

/// Where a rename is a copy, what was copied is removed after it.
bool StoreOracle::is_committed(const std::string& hidden_path) const {
  const std::optional<PartName> part = parse_hidden_name(base_name(hidden_path));
  return part && parts_.contains(join_path(parent_path(hidden_path), finished_name_of(*part)));
}

void StoreOracle::check_shared(const JobId& run) {
  const std::string shared =
      join_path(join_path(kCheckpointRoot, to_string(run)), kSharedName) + "/";
  for (const auto& [path, bytes] : store_.files()) {
    if (path.starts_with(shared) && !is_referenced(path))
      violate("R4: " + path + " is left, and nobody needs it");
  }
}

void StoreOracle::check_clean(const JobId& last_run, bool is_strict) {
  if (!is_strict) return;
  const std::string own = join_path(kCheckpointRoot, to_string(last_run)) + "/";
  for (const auto& [path, bytes] : store_.files()) {
    const std::string name = base_name(path);
    if (is_output(path) && !is_finished_part(path) && !protected_.contains(path) &&
        !is_prepared_by_visible(name)) {
      violate("R4: " + path + " is left");
    }
    if (!path.starts_with(own)) continue;
    const bool belongs =
        (path == own + name &&
         (name == kJobFileName || name == kLockName || name == kFinishedName)) ||
        (path == own + std::string(kTaskOwnedName) + "/" + name && is_prepared_by_visible(name));
    if (!belongs) violate("R4: " + path + " is left");
  }
}

}  // namespace streamrun::sim
