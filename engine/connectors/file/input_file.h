#pragma once

#include <streamrun/storage/file_systems.h>

#include <memory>
#include <string>

#include "file_split.h"

namespace streamrun {

/// A file of which a split is read.
struct InputFile {
  std::unique_ptr<ReadableFile> file;
  /// What has changed since it was found, if anything; empty else.
  std::string change;
};

/// Opens the file of a split; blocking. E-SOURCE-LOST if it is gone, or shorter than when it was
/// found: going on would lose records. Of one that has grown, the part that was there is read.
Result<InputFile> open_input(const FileSystems& file_systems, const FileSplit& split);

/// E-SOURCE-LOST: the file holds `size` bytes only.
Error input_is_shorter(const FileSplit& split, std::uint64_t size);

}  // namespace streamrun
