#pragma once

#include <streamrun/base/ids.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace streamrun {

/// Which checkpoints need which files in `shared`, and which files nobody needs any more (R1).
/// Pure: it looks at no file. Owned by the JobMaster's thread.
///
/// A file may be removed when no complete checkpoint refers to it, none under way has claimed it,
/// and all that were under way when it lost its last reference have ended: these may be built upon
/// a checkpoint that was complete when they began. What is handed out for removal must be removed,
/// or given up, and then reported by `removed`; until then nobody can claim it.
class SharedStateRegistry {
 public:
  using Names = std::set<std::string>;  ///< of files in `shared`

  /// A complete checkpoint that was found: it holds these names until `drop`.
  void retain(CheckpointId id, const Names& names);
  /// A checkpoint that may claim files, and refer to those of complete ones, is under way.
  void begin(CheckpointId id);
  /// Whether checkpoint `id` holds the name from now on. False: the file is being removed, ask
  /// again after `removed`. Requires: `is_under_way(id)`.
  bool claim(CheckpointId id, const std::string& name);
  bool is_under_way(CheckpointId id) const { return under_way_.contains(id); }
  /// The checkpoint is complete and refers to these names. Returns what is to be removed: also of
  /// others, which waited for it.
  [[nodiscard]] Names complete(CheckpointId id, const Names& names);
  /// The checkpoint is gone: aborted, or removed with its `_metadata`, durably. Returns what is to
  /// be removed. Nothing if it is not known.
  [[nodiscard]] Names drop(CheckpointId id);
  /// Files that were handed out for removal are gone, or stay although nobody needs them.
  void removed(const Names& names);

  /// Who needs the file, or may.
  std::set<CheckpointId> holders(const std::string& name) const;

 private:
  void release(CheckpointId id, const std::string& name);
  Names take_removable();

  std::map<std::string, std::set<CheckpointId>> holders_;  // never empty ones
  std::map<CheckpointId, Names> held_;
  std::set<CheckpointId> under_way_;
  std::map<std::string, std::set<CheckpointId>> waiting_;  // without a holder: for whose end
  Names going_;
};

}  // namespace streamrun
