#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/random.h>
#include <streamrun/state/described_rows.h>
#include <streamrun/state/state_handle.h>
#include <streamrun/storage/file_system.h>

#include <functional>
#include <string>

namespace streamrun {

/// `read_described_rows` for a handle of RocksDB's files: they pass through a folder of their own
/// in `directory` on the local disk, in which nothing stays. Blocks.
Result<void> read_described_sst_rows(const KeyedStateHandle& handle, FileSystem* file_system,
                                     FileSystem& local, Random& random,
                                     const std::string& directory,
                                     const std::function<bool(DescribedRow)>& use);

}  // namespace streamrun
