#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/state/rocksdb/rocksdb_settings.h>
#include <streamrun/storage/file_system.h>

#include <memory>
#include <string_view>

namespace streamrun {

/// Keyed state on the local disk, in a RocksDB database for each subtask of an operator, so that it
/// may be larger than memory. Nothing there survives the process: checkpoints do, in the format of
/// every backend.
class RocksDbStateBackend final : public StateBackend {
 public:
  /// Makes folders for the databases, and removes those of dead processes. `local`, `clock` outlive
  /// the backend; `note` says in the folder whose it is. Blocking. Errors of the store, with the
  /// path.
  static Result<std::unique_ptr<RocksDbStateBackend>> open(RocksDbSettings settings,
                                                           FileSystem& local, Random& random,
                                                           const Clock& clock,
                                                           std::string_view note);
  ~RocksDbStateBackend() override;

  Result<std::unique_ptr<KeyedStateBackend>> make_keyed(
      KeyedTableBase& table, const KeyedStateBackendContext& context) override;

 private:
  struct Shared;
  explicit RocksDbStateBackend(std::unique_ptr<Shared> shared);

  const std::unique_ptr<Shared> shared_;
};

}  // namespace streamrun
