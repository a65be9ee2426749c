#pragma once

#include <streamrun/config/configuration.h>
#include <streamrun/state/rocksdb/rocksdb_settings.h>

#include <string>

namespace streamrun {

/// What `state.backend.rocksdb.*` and the budget of memory say, checked: throws E-CONF for a value
/// that makes no sense.
RocksDbSettings rocksdb_settings(const Configuration& configuration, int parallelism,
                                 const std::string& working_directory);

}  // namespace streamrun
