#pragma once

#include <streamrun/storage/s3/s3_file_system.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/sim_s3.h"
#include "sim/tape.h"

namespace streamrun {

class FixedClock final : public Clock {
 public:
  Instant now() const override { return Instant(); }
  std::int64_t unix_milliseconds() const override { return unix_milliseconds_; }

 private:
  std::int64_t unix_milliseconds_ = 1'440'938'160'000;  // 2015-08-30T12:36:00Z
};

/// Processes by a name each; all but those in `dead` live.
class NamedProcesses final : public ProcessTable {
 public:
  explicit NamedProcesses(std::string name) : name_(std::move(name)) {}
  std::string self() const override { return name_; }
  ProcessFate fate_of(std::string_view identity) const override {
    return dead.count(std::string(identity)) > 0 ? ProcessFate::dead : ProcessFate::alive;
  }
  std::set<std::string> dead;

 private:
  const std::string name_;
};

/// The simulated store with the bucket `b`, and file systems on it.
struct S3World {
  static constexpr const char* kHost = "s3.test:9000";

  S3World() { server.buckets["b"]; }

  S3Settings settings() const {
    S3Settings made;
    made.endpoint = std::string("http://") + kHost;
    made.path_style = true;
    made.credentials = {.access_key = "AKID", .secret_key = "planted-secret"};
    return made;
  }
  std::unique_ptr<FileSystem> make(S3Settings with) {
    return make_s3_file_system(std::move(with), server, random, clock, processes);
  }
  std::unique_ptr<FileSystem> make() { return make(settings()); }

  std::string bytes(const std::string& key) const {
    const auto& objects = server.buckets.at("b").objects;
    const auto found = objects.find(key);
    return found == objects.end() ? "nothing is there" : found->second.bytes;
  }
  void place(const std::string& key, std::string content) {
    server.buckets["b"].objects[key] = {.bytes = std::move(content),
                                        .etag = "\"placed-" + key + '"',
                                        .metadata = {},
                                        .modified = clock.unix_milliseconds()};
  }

  FixedClock clock;
  sim::SeededRandom random{7};
  NamedProcesses processes{"us"};
  sim::SimS3 server{
      clock, {.access_key = "AKID", .secret_key = "planted-secret"}, "us-east-1", kHost};
};

inline Result<void> write_s3(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::unique_ptr<WritableFile> file = SR_TRY(files.create(path));
  SR_TRY(file->append(bytes));
  SR_TRY(file->sync());
  return file->close();
}

/// Bytes that tell their offset.
inline std::string numbered_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i * 31 + i / 251 + i / 65'521);
  return bytes;
}

constexpr std::size_t kMiB = std::size_t{1} << 20U;
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 30U;

}  // namespace streamrun
