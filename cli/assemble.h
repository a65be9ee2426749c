#pragma once

#include <streamrun/storage/file_systems.h>

#include <memory>

namespace streamrun {

/// The stores that this binary can reach. The one place that names implementations.
std::unique_ptr<FileSystems> make_file_systems();

}  // namespace streamrun
