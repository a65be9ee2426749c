#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>

#include "hdfs_namespace.h"

namespace streamrun {

/// A new file of HDFS: CREATE without `overwrite` at the name node, then its bytes to a data node.
/// Small files are sent whole at `sync`; of larger ones the first 4 MiB are kept until they are
/// surely taken, so that a data node which is dead costs a pause and not the file. What a failure
/// leaves in doubt is looked up under the name: by length and first bytes.
/// E-PATH if the folder is missing, E-STORE-IO if the name is taken.
Result<std::unique_ptr<WritableFile>> create_hdfs_file(const HdfsName& name);

}  // namespace streamrun
