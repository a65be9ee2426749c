#pragma once

#include <streamrun/config/configuration.h>
#include <streamrun/platform/clock.h>
#include <streamrun/platform/random.h>
#include <streamrun/state/keyed_state_backend.h>
#include <streamrun/storage/file_systems.h>

#include <memory>
#include <string>

#include "flags.h"

namespace streamrun {

/// The stores that this binary can reach, as the configuration that these flags lead to says; it is
/// read when a store across a network is asked for. The one place that names implementations.
std::unique_ptr<FileSystems> make_file_systems(const GlobalFlags& global);

/// Where the configuration says that keyed state lives; null: in memory. `file_systems` and `clock`
/// outlive it; `note` says whose its folders are. Throws `ErrorException`.
std::unique_ptr<StateBackend> make_state_backend(const Configuration& configuration,
                                                 int parallelism,
                                                 const std::string& working_directory,
                                                 FileSystems& file_systems, Random& random,
                                                 const Clock& clock, const std::string& note);

}  // namespace streamrun
