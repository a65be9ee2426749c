#pragma once

#include <streamrun/base/unique_function.h>
#include <streamrun/checkpoint/shared_state_registry.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace streamrun {

/// Who needs which file in `shared` while a job runs: the registry of checkpoints, and the writers
/// that tasks have under way for them. Pure, as the registry: what it returns is to be removed, and
/// then reported by `removed`. Owned by the JobMaster's thread.
///
/// A checkpoint that is given up holds what it claimed until each task that has claimed anything
/// for it has ended its writers: one of them may be about to put a file there.
class SharedFileClaims {
 public:
  using Names = SharedStateRegistry::Names;

  /// Complete checkpoints that were there before, with what they need.
  void found(const std::map<CheckpointId, Names>& checkpoints);
  void begin(CheckpointId id);
  /// A writer of the task is about to put the file there, and does so once `granted` is called:
  /// now, or when a removal of the file is over, or never if the checkpoint is not under way.
  void claim(CheckpointId id, int task, const std::string& name, UniqueFunction<void()> granted);
  /// The task has no writer for the checkpoint any more, and will have none.
  [[nodiscard]] Names writers_ended(CheckpointId id, int task);
  /// Whether the file is one that the checkpoint, which is under way, has claimed itself.
  bool has_claimed(CheckpointId id, const std::string& name) const;
  /// See `SharedStateRegistry`.
  [[nodiscard]] Names complete(CheckpointId id, const Names& names);
  /// It is under way and will not be complete, durably.
  [[nodiscard]] Names give_up(CheckpointId id);
  /// Whether it is complete will never be known: what it needs, or may need, stays for good.
  void doubt(CheckpointId id);
  bool has_doubt() const { return has_doubt_; }
  /// A complete one is removed, durably.
  [[nodiscard]] Names drop(CheckpointId id);
  /// No task has a writer any more, nor will have one.
  [[nodiscard]] Names attempt_ended();
  void removed(const Names& names);

 private:
  struct Waiting {
    CheckpointId id;
    int task;
    std::string name;
    UniqueFunction<void()> granted;
  };
  void forget_claims(CheckpointId id);

  SharedStateRegistry registry_;
  std::set<CheckpointId> under_way_;
  std::set<CheckpointId> given_up_;                ///< with writers
  std::map<CheckpointId, std::set<int>> writers_;  ///< tasks; never empty ones
  std::vector<Waiting> waiting_;                   ///< for the end of a removal
  bool has_doubt_ = false;
};

}  // namespace streamrun
