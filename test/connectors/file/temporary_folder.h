#pragma once

#include <streamrun/storage/local_file_system.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"

namespace streamrun::test {

/// A folder of the test's own on the local disk.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "streamrun-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
    std::ofstream file(at(name), std::ios::binary);
    file << bytes;
    REQUIRE(file.good());
  }

 private:
  std::string path_;
};

struct LocalWorld : World {
  explicit LocalWorld(std::uint64_t seed = 1) : World(seed) {
    stores.add("file", make_local_file_system());
  }
};

}  // namespace streamrun::test
