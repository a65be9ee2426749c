#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>

#include "hdfs_namespace.h"

namespace streamrun {

/// A file of HDFS by ranges of OPEN. What is read in sequence, or in large pieces, comes in windows
/// of 8 MiB, and the next one is under way from the second read in one on: at most two windows a
/// reader. A small read elsewhere fetches little more than itself.
std::unique_ptr<ReadableFile> open_hdfs_file(const HdfsName& name, const WebHdfsStatus& status);

}  // namespace streamrun
