#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/memory_file_system.h"
#include "sim/mutant.h"
#include "sim/store_oracle.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// What may go wrong with the store while one simulated process lives.
struct StorageFaults {
  std::uint64_t write_error_one_in = 0;  ///< 0: never
  std::string write_error_of;            ///< the only operation that fails so; empty: any
  std::string write_error_under;         ///< where paths begin so; empty: everywhere
  std::uint64_t read_error_one_in = 0;
  std::optional<std::uint64_t> steps_to_death;  ///< it dies before this step, counted from 0
  std::function<void()> die;                    ///< what else happens then
  std::function<void()> pause;                  ///< before each call: others may run first
  bool is_dead = false;                         ///< nothing reaches the store any more
  std::uint64_t write_errors = 0;               ///< that were injected
  std::uint64_t read_errors = 0;

  /// Whether this operation is one that fails now and then.
  bool may_fail(std::string_view what, const std::string& path) const {
    return (write_error_of.empty() || write_error_of == what) &&
           path.starts_with(write_error_under);
  }
  /// The same of a file that a store takes as a whole.
  bool may_fail_to_write(const std::string& path) const {
    return may_fail("create", path) || may_fail("append", path) || may_fail("sync", path) ||
           may_fail("close", path);
  }
};

/// The store as one simulated process sees it: every change is traced, told to the oracle, and may
/// fail or be the last thing that the process does. The store itself outlives the process.
class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem(MemoryFileSystem& store, StoreOracle& oracle, StorageFaults& faults, Tape& tape,
                Trace& trace, Mutant mutant)
      : store_(store),
        oracle_(oracle),
        faults_(faults),
        tape_(tape),
        trace_(trace),
        mutant_(mutant) {}

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

 private:
  class Writer;
  class Reader;
  class Lock;
  Result<void> live_on(std::string_view what, const std::string& path);
  Result<void> before_change(std::string_view what, const std::string& path);
  Result<void> before_read(const std::string& path);
  void let_next_step_fail(std::string_view what, const std::string& path);
  bool is_put_off(const std::string& path) const;
  Result<void> sync_what_was_put_off(const std::string& folder);

  MemoryFileSystem& store_;
  StoreOracle& oracle_;
  StorageFaults& faults_;
  Tape& tape_;
  Trace& trace_;
  const Mutant mutant_;
  // State files whose sync a mutant has put off, by path.
  std::map<std::string, std::shared_ptr<WritableFile>> put_off_;
};

}  // namespace streamrun::sim
