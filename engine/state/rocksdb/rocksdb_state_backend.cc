#include <streamrun/state/rocksdb/rocksdb_state_backend.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>

#include "local_folders.h"
#include "rocksdb_keyed_state_backend.h"

namespace streamrun {
namespace {

/// What a table may hold of a database without a common budget.
constexpr std::size_t kRowBytes = std::size_t{32} << 20U;

}  // namespace

/// What all databases of the process share. Any thread.
struct RocksDbStateBackend::Shared {
  FileSystem& local;
  const RocksDbSettings settings;
  const Clock& clock;
  const SharedMemory memory;
  const std::unique_ptr<LocalFolders> folders;
  std::atomic<std::size_t> tables{0};  ///< that there are

  /// All are opened before the first record flows, so that it soon says what stays.
  std::size_t most_cached_bytes() const {
    if (!settings.memory) return kRowBytes;
    const RocksDbMemory shares = shares_of(*settings.memory, settings.write_buffer_ratio);
    return shares.rows / std::max<std::size_t>(1, tables.load(std::memory_order_relaxed));
  }
};

RocksDbStateBackend::RocksDbStateBackend(std::unique_ptr<Shared> shared)
    : shared_(std::move(shared)) {}
RocksDbStateBackend::~RocksDbStateBackend() = default;

Result<std::unique_ptr<RocksDbStateBackend>> RocksDbStateBackend::open(RocksDbSettings settings,
                                                                       FileSystem& local,
                                                                       Random& random,
                                                                       const Clock& clock,
                                                                       std::string_view note) {
  SR_ASSERT(!settings.directories.empty() && !settings.compression_per_level.empty(),
            "databases have a folder, and levels a compression");
  auto folders = SR_TRY(LocalFolders::open(local, settings.directories, random, note));
  SharedMemory memory = make_shared_memory(settings);
  std::unique_ptr<Shared> shared(
      new Shared{local, std::move(settings), clock, std::move(memory), std::move(folders)});
  return std::unique_ptr<RocksDbStateBackend>(new RocksDbStateBackend(std::move(shared)));
}

Result<std::unique_ptr<KeyedStateBackend>> RocksDbStateBackend::make_keyed(
    KeyedTableBase& table, const KeyedStateBackendContext& context) {
  const std::string path = shared_->folders->place_for(context.name);
  auto database =
      SR_TRY(Database::open(path, table, shared_->settings, shared_->memory, shared_->clock));
  ++shared_->tables;
  // The one that goes last closes it: the backend, or a snapshot that it had given up.
  std::shared_ptr<Database> removing(database.get(),
                                     [database, shared = shared_.get(), path](Database*) mutable {
                                       database.reset();
                                       shared->folders->remove(path);
                                     });
  database.reset();
  return std::unique_ptr<KeyedStateBackend>(new RocksDbKeyedStateBackend(
      table, context, shared_->local, std::move(removing),
      static_cast<std::size_t>(shared_->settings.write_batch_size),
      [shared = shared_.get()] { return shared->most_cached_bytes(); },
      [shared = shared_.get()] { --shared->tables; }));
}

}  // namespace streamrun
