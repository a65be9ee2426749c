#pragma once

#include <streamrun/platform/process_table.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/storage/hdfs/hdfs_file_system.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sim/memory_file_system.h"
#include "sim/sim_hdfs.h"
#include "sim/tape.h"

namespace streamrun {

/// One process that is alive, and others of which nothing can be told.
class OneProcess final : public ProcessTable {
 public:
  explicit OneProcess(std::string self) : self_(std::move(self)) {}
  std::string self() const override { return self_; }
  ProcessFate fate_of(std::string_view identity) const override {
    return identity == self_ ? ProcessFate::alive : ProcessFate::unknown;
  }

 private:
  std::string self_;
};

/// Each look is a millisecond later, so that no two files are of the same one.
class TickingClock final : public Clock {
 public:
  Instant now() const override { return Instant(); }
  std::int64_t unix_milliseconds() const override { return unix_milliseconds_++; }

 private:
  mutable std::atomic<std::int64_t> unix_milliseconds_ = 1'700'000'000'000;
};

/// A simulated HDFS with an empty folder in it, and our client of it.
struct HdfsWorld {
  explicit HdfsWorld(HdfsSettings settings = {.user = "me"}) {
    hdfs.put_folder("/root");
    files = make_hdfs_file_system(std::move(settings), hdfs, random, process);
  }
  static std::string path(std::string_view name) {
    return "hdfs://nn:8020/root/" + std::string(name);
  }
  FileSystem* operator->() const { return files.get(); }

  TickingClock clock;
  sim::MemoryFileSystem store{&clock};
  sim::SimHdfs hdfs{store};
  sim::SeededRandom random{1};
  OneProcess process{"host/1"};
  std::unique_ptr<FileSystem> files;
};

inline Result<void> write_bytes(FileSystem& files, const std::string& path, std::string_view bytes,
                                std::size_t piece = std::size_t{1} << 20U) {
  const std::unique_ptr<WritableFile> file = SR_TRY(files.create(path));
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    SR_TRY(file->append(bytes.substr(at, piece)));
  }
  SR_TRY(file->sync());
  return file->close();
}

/// Not the same at any two offsets that matter.
inline std::string patterned(std::size_t length) {
  std::string bytes(length, '\0');
  for (std::size_t i = 0; i < length; ++i)
    bytes[i] = static_cast<char>(i * 7 + i / 1000 + i / 65537);
  return bytes;
}

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 30U;

}  // namespace streamrun
