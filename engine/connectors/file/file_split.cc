#include "file_split.h"

#include <streamrun/base/bytes.h>

#include <algorithm>

namespace streamrun {
namespace {

constexpr std::uint8_t kVersion = 1;

bool makes_sense(const FileSplit& split) {
  if (split.path.empty() || split.offset > split.end || split.end > split.file_size) return false;
  switch (split.compression) {
    case Compression::none:
      return split.offset <= split.position && split.position <= split.end;
    case Compression::gzip:
    case Compression::zstd:
      return split.offset == 0 && split.end == split.file_size;
  }
  return false;
}

}  // namespace

Compression compression_of(std::string_view path) {
  const auto ends_with = [&](std::string_view ending) { return path.ends_with(ending); };
  if (ends_with(".gz")) return Compression::gzip;
  return ends_with(".zst") ? Compression::zstd : Compression::none;
}

std::string encode_split(const FileSplit& split) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(split.path);
  out.varint(split.offset);
  out.varint(split.end);
  out.varint(split.position);
  out.varint(split.file_size);
  out.i64(split.modified_unix_milliseconds);
  out.u8(static_cast<std::uint8_t>(split.compression));
  return bytes;
}

Result<FileSplit> decode_split(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  FileSplit split;
  split.path = in.text();
  split.offset = in.varint();
  split.end = in.varint();
  split.position = in.varint();
  split.file_size = in.varint();
  split.modified_unix_milliseconds = in.i64();
  split.compression = static_cast<Compression>(in.u8());
  if (version == kVersion && in.done() && makes_sense(split)) return split;
  return Error{.code = ErrorCode::state_corrupt,
               .message = "the position in an input file is damaged, or of an unknown version",
               .where = "version " + std::to_string(version),
               .retry = Retry::no};
}

std::vector<FileSplit> cut_into_splits(const FileStatus& file, std::uint64_t split_bytes) {
  const Compression compression = compression_of(file.path);
  const std::uint64_t step = compression == Compression::none ? split_bytes : file.size;
  std::vector<FileSplit> splits;
  for (std::uint64_t offset = 0; offset < file.size;) {
    const std::uint64_t end = offset + std::min(step, file.size - offset);
    splits.push_back({.path = file.path,
                      .offset = offset,
                      .end = end,
                      .position = offset,
                      .file_size = file.size,
                      .modified_unix_milliseconds = file.modified_unix_milliseconds,
                      .compression = compression});
    offset = end;
  }
  return splits;
}

}  // namespace streamrun
