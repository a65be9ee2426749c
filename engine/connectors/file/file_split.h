#pragma once

#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// How a file's bytes become text; decided by the end of its name.
enum class Compression : std::uint8_t { none = 0, gzip = 1, zstd = 2 };

Compression compression_of(std::string_view path);

/// The lines of one file that *start* in [position, end). Before anything was read, `position` is
/// `offset`. Of a compressed file there is one split, and `position` counts bytes of the text.
struct FileSplit {
  std::string path;  ///< absolute, or a URI
  std::uint64_t offset = 0;
  std::uint64_t end = 0;
  std::uint64_t position = 0;
  std::uint64_t file_size = 0;  ///< when the file was found: nothing beyond it is read
  std::int64_t modified_unix_milliseconds = 0;
  Compression compression = Compression::none;

  bool operator==(const FileSplit&) const = default;
};

std::string encode_split(const FileSplit& split);
/// E-STATE-CORRUPT if the bytes are damaged.
Result<FileSplit> decode_split(std::string_view bytes);

/// The splits of a file, in order: none of an empty one.
std::vector<FileSplit> cut_into_splits(const FileStatus& file, std::uint64_t split_bytes);

}  // namespace streamrun
