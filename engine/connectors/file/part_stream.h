#pragma once

#include <streamrun/base/checksum.h>
#include <streamrun/connectors/file/part_name.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/stream/block_writer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// The part files of one subtask in one attempt, one after another.
class PartStream final : public BlockStream {
 public:
  /// Counts its parts from `next.number` on.
  PartStream(FileSystem& store, std::string folder, PartName next);

  /// Begins a part if none is open.
  Result<void> append(std::string_view text) override;
  /// Ends the part. On return its bytes and its hidden name survive a power cut. Its committable,
  /// or nothing if nothing was appended.
  Result<std::vector<std::string>> finish() override;

 private:
  FileSystem& store_;
  const std::string folder_;
  PartName next_;

  std::unique_ptr<WritableFile> file_;  // null between two parts
  std::string finished_name_;
  std::uint64_t length_ = 0;
  Xxh3Stream xxh3_;
};

}  // namespace streamrun
