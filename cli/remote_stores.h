#pragma once

#include <streamrun/storage/file_systems.h>

#include "flags.h"

namespace streamrun {

/// Adds the stores across a network, HDFS and S3, as the configuration that these flags lead to
/// says. It is read, and the network touched, when one of them is first asked for.
void add_remote_stores(FileSystems& stores, const GlobalFlags& global);

}  // namespace streamrun
