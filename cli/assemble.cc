#include "assemble.h"

#include <streamrun/config/options.h>
#include <streamrun/state/rocksdb/rocksdb_state_backend.h>
#include <streamrun/storage/local_file_system.h>

#include "remote_stores.h"
#include "rocksdb_configuration.h"

namespace streamrun {

std::unique_ptr<FileSystems> make_file_systems(const GlobalFlags& global) {
  auto stores = std::make_unique<FileSystems>();
  stores->add("file", make_local_file_system());
  add_remote_stores(*stores, global);
  return stores;
}

std::unique_ptr<StateBackend> make_state_backend(const Configuration& configuration,
                                                 int parallelism,
                                                 const std::string& working_directory,
                                                 FileSystems& file_systems, Random& random,
                                                 const Clock& clock, const std::string& note) {
  if (configuration.get(options::kStateBackend) == StateBackendType::hashmap) return nullptr;
  return value_or_throw(RocksDbStateBackend::open(
      rocksdb_settings(configuration, parallelism, working_directory),
      *value_or_throw(file_systems.of_scheme("file")), random, clock, note));
}

}  // namespace streamrun
