// A cancel at moments that are hard to hit.
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/runtime/job_master.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "answer.h"
#include "job_world.h"

namespace streamrun {
namespace {

/// Hands all on; `looks` may answer instead of `status`.
class Looking final : public FileSystem {
 public:
  explicit Looking(FileSystem& to) : to_(to) {}
  std::function<std::optional<Error>(const std::string&)> looks;
  Result<FileStatus> status(const std::string& p) override {
    if (looks)
      if (auto e = looks(p)) return *e;
    return to_.status(p);
  }
  Result<std::vector<FileStatus>> list(const std::string& d) override { return to_.list(d); }
  Result<std::unique_ptr<ReadableFile>> open(const std::string& p) override { return to_.open(p); }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& p) override {
    return to_.open_no_follow(p);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& p) override {
    return to_.create(p);
  }
  Result<bool> create_directory(const std::string& p) override { return to_.create_directory(p); }
  Result<bool> rename_no_replace(const std::string& a, const std::string& b) override {
    return to_.rename_no_replace(a, b);
  }
  Result<bool> remove_file(const std::string& p) override { return to_.remove_file(p); }
  Result<bool> remove_directory(const std::string& p) override { return to_.remove_directory(p); }
  Result<void> sync_directory(const std::string& p) override { return to_.sync_directory(p); }
  Result<std::unique_ptr<FolderLock>> lock(const std::string& p, std::string_view n) override {
    return to_.lock(p, n);
  }
  Result<std::optional<std::string>> lock_holder(const std::string& p) override {
    return to_.lock_holder(p);
  }

 private:
  FileSystem& to_;
};

TEST_CASE("job master: a cancel while a restart verifies its snapshot is not forgotten",
          "[runtime]") {
  sim::MemoryFileSystem disk;
  disk.create_directories("/checkpoints").value();
  auto looking = std::make_unique<Looking>(disk);
  Looking& store = *looking;
  FileSystems stores;
  stores.add("file", std::move(looking));
  JobWorld world;
  std::atomic<bool> fail{false};
  std::atomic<bool> failed{false};
  CountingJob job{.count = 30000, .records_per_second = 20000};
  job.watch = [&](std::uint64_t) {
    if (fail.exchange(false)) {
      failed = true;
      throw std::runtime_error("once");
    }
  };
  JobSpec spec = world.spec_of(job);
  spec.checkpoint_store = &store;
  TestListener listener;
  TestAnswer<void> answer;
  ThreadPool io(4);
  ThreadedExecutor executor(spec.workers + 1);
  RealClock clock;
  RealRandom random;
  WarningLog log;
  Environment environment{clock, random, executor, io, log};
  std::atomic<JobMaster*> asked{nullptr};
  std::atomic<bool> once{true};
  store.looks = [&](const std::string& path) -> std::optional<Error> {
    if (!failed || path.find("/chk-") == std::string::npos || path.ends_with("_metadata"))
      return std::nullopt;
    if (!once.exchange(false)) return std::nullopt;
    asked.load()->cancel(answer.take());
    answer.wait();
    return Error{.code = ErrorCode::store_io, .message = "a moment's trouble", .where = path};
  };
  {
    JobMaster master(environment, stores, spec, listener);
    asked = &master;
    master.start();
    CHECK(listener.wait_for_checkpoints(2));
    fail = true;
    REQUIRE(listener.wait_for_end());
  }
  CHECK(failed);
  CHECK_FALSE(once);
  CHECK(answer.result());
  CHECK(listener.result().status == JobStatus::canceled);
}

}  // namespace
}  // namespace streamrun
