#pragma once

#include <streamrun/connectors/file/file_sink.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "connectors/connector_harness.h"
#include "sim/memory_file_system.h"

namespace streamrun::test {

/// A world whose store may be shared with another one, as a disk is by two lives of a job.
struct SinkWorld : World {
  /// Forwards to a store that outlives it.
  class SharedStore final : public FileSystem {
   public:
    explicit SharedStore(FileSystem& store) : store_(store) {}
    Result<FileStatus> status(const std::string& path) override { return store_.status(path); }
    Result<std::vector<FileStatus>> list(const std::string& directory) override {
      return store_.list(directory);
    }
    Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
      return store_.open(path);
    }
    Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override {
      return store_.open_no_follow(path);
    }
    Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
      return store_.create(path);
    }
    Result<bool> create_directory(const std::string& path) override {
      return store_.create_directory(path);
    }
    Result<bool> rename_no_replace(const std::string& from, const std::string& to) override {
      return store_.rename_no_replace(from, to);
    }
    Result<bool> remove_file(const std::string& path) override { return store_.remove_file(path); }
    Result<bool> remove_directory(const std::string& path) override {
      return store_.remove_directory(path);
    }
    Result<void> sync_directory(const std::string& path) override {
      return store_.sync_directory(path);
    }
    Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                             std::string_view note) override {
      return store_.lock(path, note);
    }
    Result<std::optional<std::string>> lock_holder(const std::string& path) override {
      return store_.lock_holder(path);
    }

   private:
    FileSystem& store_;
  };

  explicit SinkWorld(FileSystem& store, std::uint64_t seed = 1) : World(seed) {
    stores.add("file", std::make_unique<SharedStore>(store));
  }
};

/// One subtask of a file sink that writes to `/out`.
class SinkRun {
 public:
  using Committables = std::vector<std::string>;

  explicit SinkRun(SinkWorld& world, const std::string& attempt = "attempt-1",
                   const Committables& restored = {}, int subtask = 0, int parallelism = 1)
      : world_(world),
        context_(world.context(subtask, parallelism)),
        writer_(FileSink{.path = "/out"}.make_writer<std::string>()) {
    context_.attempt = attempt;
    writer_->set_restored_committables(restored);
    writer_->open(context_);
  }

  void write(const std::vector<std::string>& lines) {
    Batch<std::string> batch;
    for (const std::string& line : lines) batch.append(line);
    writer_->write(batch);
  }
  /// Prepares and waits.
  Result<Committables> prepare() {
    std::optional<Result<Committables>> answer;
    writer_->prepare(++checkpoint_,
                     [&](Result<Committables> prepared) { answer = std::move(prepared); });
    world_.settle();
    REQUIRE(answer);
    return *std::move(answer);
  }
  Committables must_prepare() { return value_or_throw(prepare()); }
  SinkWriter<std::string>& writer() { return *writer_; }
  OperatorContext& context() { return context_; }

 private:
  SinkWorld& world_;
  OperatorContext context_;
  std::unique_ptr<SinkWriter<std::string>> writer_;
  CheckpointId checkpoint_ = 0;
};

/// What readers see in `/out`, all files in a row.
inline std::string visible_text(const sim::MemoryFileSystem& store) {
  std::string text;
  for (const auto& [path, bytes] : store.files()) {
    if (base_name(path)[0] != '.') text += bytes;
  }
  return text;
}
inline std::vector<std::string> names_in(const sim::MemoryFileSystem& store) {
  std::vector<std::string> names;
  for (const auto& [path, bytes] : store.files()) names.push_back(base_name(path));
  return names;
}

/// `part-<job>-<operator>-<subtask>-<attempt>-<number>` of the harness's job.
inline std::string part_name(int number, const std::string& attempt = "attempt-1",
                             int subtask = 0) {
  return "part-" + std::string(32, 'a') + "-" + to_string(operator_id_of("uid")).substr(0, 8) +
         "-" + std::to_string(subtask) + "-" + attempt + "-" + std::to_string(number);
}
inline std::string hidden(const std::string& name) {
  return "." + name + ".inprogress";
}

}  // namespace streamrun::test
