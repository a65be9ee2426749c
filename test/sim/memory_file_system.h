#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/memory_nodes.h"

namespace streamrun::sim {

/// A step that changes the store, as `MemoryFileSystem::before_step` hears of it.
struct StorageStep {
  std::uint64_t number = 0;  ///< 1, 2, … since the store was made
  std::string_view what;     ///< `create`, `append`, `sync`, `close`, `create_directory`, `rename`,
                             ///< `remove_file`, …
  const std::string& path;
};

/// A store in memory that forgets what was not synced: a volatile layer, which programs see, over a
/// durable one. `sync` of a file moves its bytes down, `sync_directory` moves names. Deterministic,
/// thread-safe, without links. It outlives its handles; those opened before a `kill` or `power_cut`
/// only fail from then on.
class MemoryFileSystem final : public FileSystem {
 public:
  /// `clock`, if given, dates the files; it outlives the store.
  explicit MemoryFileSystem(const Clock* clock = nullptr);
  ~MemoryFileSystem() override;

  Result<FileStatus> status(const std::string& path) override;
  Result<std::vector<FileStatus>> list(const std::string& directory) override;
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<bool> create_directory(const std::string& path) override;
  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override;
  Result<bool> remove_file(const std::string& path) override;
  Result<bool> remove_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FolderLock>> lock(const std::string& path, std::string_view note) override;
  Result<std::optional<std::string>> lock_holder(const std::string& path) override;

  /// The process ends: handles and locks are gone, everything written is still seen.
  void kill();
  /// The machine ends: as `kill`, and what was not synced may be there, damaged or gone, as
  /// `random` decides.
  void power_cut(Random& random);
  /// The same, so that every state that the disk may be left in can be gone through: each change of
  /// names that was not synced happened or not, and of bytes that were not synced see
  /// `FileContent`.
  void power_cut(const Choose& choose);

  /// The step with this number (the next one is `steps() + 1`) fails once with `error`: an append
  /// after half of its bytes, a sync after marking the pages clean, everything else before it did
  /// anything.
  void fail_call(std::uint64_t step, Error error);
  /// Nothing fails any more.
  void end_failures();
  /// Called before each step that changes the store or looks at a lock, without a lock: it may
  /// throw, which is a crash before the step, or call `kill`. An empty function ends it.
  void before_step(std::function<void(const StorageStep&)> callback);
  /// How many steps that change the store were begun so far.
  std::uint64_t steps() const;

  /// Turns one bit of a file over, on the disk too, as if the medium had rotted. Returns false if
  /// there is no such byte.
  bool flip_bit(const std::string& path, std::uint64_t offset, unsigned bit);
  /// Every file, sorted, with its bytes as programs see them.
  std::map<std::string, std::string> files() const;

 private:
  class Reader;
  class Writer;
  class Lock;
  struct Place {
    NodePtr directory;
    std::string name;
    NodePtr node;  // null: the name is free
  };

  /// Begins a step: counts it, tells the callback, and returns the error it is to fail with.
  Result<void> begin(std::string_view what, const std::string& path);
  NodePtr make_node(bool is_directory);
  NodePtr find(const std::string& path) const;
  Result<Place> locate(const std::string& path, std::string_view what) const;
  FileStatus status_of(const Node& node, std::string path) const;
  std::int64_t date() const { return clock_ != nullptr ? clock_->unix_milliseconds() : 0; }
  void forget_handles();
  template <typename Chance>
  void cut(Chance& chance);

  // Constant after construction.
  const Clock* const clock_;
  const NodePtr root_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::uint64_t next_node_id_ = 1;
  std::uint64_t life_ = 0;  // counts kills; a handle of an earlier life is dead
  std::uint64_t steps_ = 0;
  NameJournal journal_;
  std::map<std::uint64_t, Error> failures_;
  std::map<std::uint64_t, std::string> locks_;  // node id → note
  std::function<void(const StorageStep&)> callback_;
};

}  // namespace streamrun::sim
