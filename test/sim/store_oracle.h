#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/checkpoint/checkpoint_metadata.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/memory_file_system.h"

namespace streamrun::sim {

/// Lines and how often each is expected, by folder of output.
using ExpectedOutput = std::map<std::string, std::map<std::string, std::int64_t>>;

constexpr const char* kCheckpointRoot = "/checkpoints";
constexpr const char* kSavepointRoot = "/savepoints";
inline std::vector<std::string> snapshot_roots() {
  return {kCheckpointRoot, kSavepointRoot};
}

class KafkaCluster;

/// Watches each change of the store and knows what must hold of checkpoints and output files,
/// however the engine does it. Outside the simulated stores; codes are those of the invariants (D2,
/// E1, …). The first violation stays.
class StoreOracle {
 public:
  explicit StoreOracle(MemoryFileSystem& store) : store_(store) {}

  // What the file system of a simulated process tells, after each change.
  void created_directory(const std::string& path);
  void renamed(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void synced_directory(const std::string& path);
  void after_power_cut();

  /// What the job writes is in topics, not in files.
  void watch(const KafkaCluster& kafka) { kafka_ = &kafka; }

  /// Where names are durable before who asked for them hears of it. A snapshot counts there once
  /// its run says that it is complete, or it is restored; until then the process may take it back
  /// that published it.
  void store_is_elsewhere() { is_elsewhere_ = true; }
  void process_begins() { ++process_; }

  /// The file is somebody else's, and durable: it stays as it is (R3).
  void protect(const std::string& path);

  /// The engine says that a checkpoint is complete: by now it is durable.
  void heard_of_completion(CheckpointId id);
  /// A run owns the snapshot, a savepoint too, and may remove it once it has a newer checkpoint.
  void claims(const std::string& folder) { claimed_.insert(folder); }
  /// From now on sinks may commit what a savepoint has prepared; until then only what a checkpoint
  /// or the restored snapshot has.
  void savepoints_may_commit();
  /// What a restart chose; nothing: a fresh start.
  void restoring(std::optional<CheckpointId> id);

  /// Output files are as they were when they were finished, and hold no line too often.
  void check_partial_output(const ExpectedOutput& expected);
  /// At least once: what is counted again makes more lines, and nothing else.
  void lines_may_be_repeated() { may_repeat_lines_ = true; }
  std::uint64_t repeated_lines() const { return repeated_lines_; }
  /// Nothing is lost, nothing is there twice.
  void check_whole_output(const ExpectedOutput& expected);
  /// What is left when a run has ended by itself. `is_strict`: nothing kept it from cleaning up.
  void check_clean(const JobId& last_run, bool is_strict);
  /// In `shared` of a run that has ended, but not by itself, are the files that its checkpoints
  /// need, and no others.
  void check_shared(const JobId& run);

  const std::optional<std::string>& violation() const { return violation_; }
  void violate(const std::string& text);
  std::uint64_t checkpoints() const { return durable_checkpoints_; }
  CheckpointId highest_durable() const { return highest_durable_; }

 private:
  struct Snapshot {
    CheckpointId id = 0;
    bool is_savepoint = false;
    bool is_durable = false;
    bool is_relied_on = false;  ///< somebody was told of it, or has restored it
    std::uint64_t process = 0;  ///< that has published it
    std::set<std::string> files;
    std::set<std::string> committables;  // names of finished parts
  };
  struct Part {
    std::uint64_t hash = 0;
    bool is_durable = false;
  };

  void published(const std::string& folder, bool read_data);
  void became_durable(const std::string& folder, Snapshot& snapshot);
  void prepares(const std::string& folder, const Snapshot& snapshot);
  void relied_on(CheckpointId id);
  void withdrawn(const std::string& folder);
  void finished_part(const std::string& path);
  void named_shared_file(const std::string& path);
  bool is_referenced(const std::string& path) const;
  bool is_prepared_by_visible(const std::string& name) const;
  bool is_committed(const std::string& hidden_path) const;
  bool has_newer_durable(CheckpointId id) const;
  bool is_finished(const std::string& job_folder) const;
  void check_parts(bool after_power_cut);
  void check_protected();
  ExpectedOutput output_lines() const;
  void check_no_line_too_often(const ExpectedOutput& found, const ExpectedOutput& expected);

  MemoryFileSystem& store_;
  const KafkaCluster* kafka_ = nullptr;
  std::map<std::string, Snapshot> visible_;  // by folder
  std::map<std::string, Part> parts_;        // finished, by path
  /// By name: the folders of checkpoints that are or were durable, and prepared it.
  std::map<std::string, std::set<std::string>> prepared_;
  std::set<std::string> checkpoint_folders_;
  std::map<std::string, std::string> protected_;  // bytes by path
  std::set<std::string> claimed_;                 // folders
  CheckpointId highest_durable_ = 0;
  CheckpointId highest_durable_checkpoint_ = 0;
  std::uint64_t durable_checkpoints_ = 0;
  CheckpointId highest_relied_on_ = 0;
  std::uint64_t process_ = 0;
  bool is_elsewhere_ = false;
  bool savepoints_may_commit_ = false;
  bool may_repeat_lines_ = false;
  std::uint64_t repeated_lines_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace streamrun::sim
