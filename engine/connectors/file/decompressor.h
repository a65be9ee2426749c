#pragma once

#include <streamrun/storage/file_system.h>

#include <cstddef>
#include <memory>

#include "file_split.h"

namespace streamrun {

/// The text of a compressed file, front to back. One thread at a time; blocking.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  /// Up to `length` bytes of text; 0 only at the end. Bytes that are damaged or cut are an error.
  virtual Result<std::size_t> read(char* into, std::size_t length) = 0;
};

/// For a split that is compressed. Reads the file up to the size that the split records.
std::unique_ptr<Decompressor> make_decompressor(std::unique_ptr<ReadableFile> file,
                                                const FileSplit& split);

}  // namespace streamrun
