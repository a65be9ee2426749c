#pragma once

#include <streamrun/platform/random.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/storage/local_file_system.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "sim/memory_file_system.h"

namespace streamrun {

/// An empty folder of the machine that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "streamrun-test-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string path(std::string_view name) const { return join_path(path_, name); }

 private:
  std::string path_;
};

/// Repeats from its seed (splitmix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27U) * 0x94d049bb133111ebULL;
    return z ^ z >> 31U;
  }

 private:
  std::uint64_t state_;
};

enum class StoreKind { local, memory };

/// A store of either kind with an empty folder in it: what must hold for both is tested on both.
struct TestStore {
  explicit TestStore(StoreKind kind) {
    if (kind == StoreKind::local) {
      folder = std::make_unique<TemporaryFolder>();
      root = folder->path();
      files = make_local_file_system();
    } else {
      root = "/root";
      files = std::make_unique<sim::MemoryFileSystem>();
      files->create_directories(root).value();
    }
  }
  std::string path(std::string_view name) const { return join_path(root, name); }
  FileSystem* operator->() const { return files.get(); }

  std::unique_ptr<TemporaryFolder> folder;
  std::string root;
  std::unique_ptr<FileSystem> files;
};

inline void write_file(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::unique_ptr<WritableFile> file = files.create(path).value();
  file->append(bytes).value();
  file->sync().value();
  file->close().value();
}

}  // namespace streamrun
