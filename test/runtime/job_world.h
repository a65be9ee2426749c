#pragma once

#include <streamrun/platform/real_clock.h>
#include <streamrun/runtime/job_master.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "outside.h"
#include "sim/memory_file_system.h"

namespace streamrun {

/// Hears the job on its own thread and hands it over to the test's.
class TestListener final : public JobListener {
 public:
  std::function<void(const CheckpointSummary&)> when_completed;
  std::function<void()> when_savepoint;

  void on_running() override {
    const std::lock_guard lock(mutex_);
    running_ = true;
    changed_.notify_all();
  }
  void on_checkpoint_completed(const CheckpointSummary& summary) override {
    {
      const std::lock_guard lock(mutex_);
      completed_.push_back(summary);
      changed_.notify_all();
    }
    if (when_completed) when_completed(summary);
  }
  void on_checkpoint_failed(CheckpointId, const Error& error) override {
    const std::lock_guard lock(mutex_);
    failed_.push_back(error);
    changed_.notify_all();
  }
  void on_savepoint_completed(const CheckpointSummary& summary) override {
    {
      const std::lock_guard lock(mutex_);
      savepoints_.push_back(summary);
    }
    if (when_savepoint) when_savepoint();
  }
  void on_restart(int, Duration, const Error& error, const std::string& from) override {
    const std::lock_guard lock(mutex_);
    restarts_.push_back(error);
    restart_points_.push_back(from);
    changed_.notify_all();
  }
  void on_status(const JobReport& report) override {
    const std::lock_guard lock(mutex_);
    statuses_.push_back(report.status);
    changed_.notify_all();
  }
  void on_dump(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    dumps_.push_back(text);
    changed_.notify_all();
  }
  void on_end(const JobResult& result) override {
    const std::lock_guard lock(mutex_);
    result_ = result;
    changed_.notify_all();
  }

  /// False if the job does not end within a minute: no test may hang.
  bool wait_for_end() {
    return wait_until([this] { return result_.has_value(); });
  }
  bool wait_for_running() {
    return wait_until([this] { return running_ || result_.has_value(); });
  }
  bool wait_for_checkpoints(std::size_t count) {
    return wait_until([this, count] { return completed_.size() >= count || result_.has_value(); });
  }
  bool wait_for_failures(std::size_t count) {
    return wait_until([this, count] { return failed_.size() >= count || result_.has_value(); });
  }
  bool wait_for_restarts(std::size_t count) {
    return wait_until([this, count] { return restarts_.size() >= count || result_.has_value(); });
  }
  /// Asks the job until it is in this status; false if it ends, or within a minute is not.
  bool wait_for_status(JobMaster& master, JobStatus wanted) {
    const RealClock clock;
    const Instant give_up = clock.now() + std::chrono::minutes(1);
    for (std::size_t asked = 1; clock.now() < give_up; ++asked) {
      master.request_status();
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::minutes(1),
                        [&] { return statuses_.size() >= asked || result_.has_value(); });
      if (result_.has_value()) return false;
      if (!statuses_.empty() && statuses_.back() == wanted) return true;
    }
    return false;
  }
  bool wait_for_dumps(std::size_t count) {
    return wait_until([this, count] { return dumps_.size() >= count || result_.has_value(); });
  }
  // After the end.
  const JobResult& result() const { return *result_; }
  const std::vector<CheckpointSummary>& completed() const { return completed_; }
  const std::vector<CheckpointSummary>& savepoints() const { return savepoints_; }
  const std::vector<Error>& failed() const { return failed_; }
  const std::vector<Error>& restarts() const { return restarts_; }
  const std::vector<std::string>& restart_points() const { return restart_points_; }
  const std::vector<std::string>& dumps() const { return dumps_; }

 private:
  template <typename Condition>
  bool wait_until(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), condition);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false;
  std::optional<JobResult> result_;
  std::vector<CheckpointSummary> completed_;
  std::vector<CheckpointSummary> savepoints_;
  std::vector<Error> failed_;
  std::vector<Error> restarts_;
  std::vector<std::string> restart_points_;
  std::vector<std::string> dumps_;
  std::vector<JobStatus> statuses_;
};

/// Keeps the warnings; any thread.
class WarningLog final : public Log {
 public:
  void write(LogLevel level, std::string_view message) override {
    if (level != LogLevel::warning) return;
    const std::lock_guard lock(mutex_);
    warnings_.emplace_back(message);
  }
  /// How many have this text in them.
  std::size_t count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        warnings_.begin(), warnings_.end(),
        [&](const std::string& warning) { return warning.find(part) != std::string::npos; }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;  // guarded by mutex_
};

/// Holds up whoever comes until it is opened; a minute at most, so that no test hangs.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait_for(lock, std::chrono::minutes(1), [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;  // guarded by mutex_
};

/// Numbers below `count`, how often each of `keys` keys occurs up to and with each, as
/// `key=occurrence`.
struct CountingJob {
  std::uint64_t count = 20000;
  std::uint64_t keys = 97;
  double records_per_second = 0;
  int parallelism = 2;
  bool emits_at_end = false;  ///< once a key, when the input has ended; else after every record
  /// Sees each number on the threads of the tasks; may throw.
  std::function<void(std::uint64_t)> watch = {};

  std::vector<std::string> expected() const;
  JobGraph graph(Outside& outside) const;
};

/// A machine on which one job runs after another: its disk, and what the outside has seen.
class JobWorld {
 public:
  JobWorld();

  JobSpec spec_of(const CountingJob& job,
                  std::optional<Duration> interval = std::chrono::milliseconds(5));
  /// The same job as a new run that goes on from a snapshot.
  JobSpec resumed(const CountingJob& job, const std::string& snapshot, const JobSpec& before,
                  std::optional<Duration> interval = std::chrono::milliseconds(5));

  /// Runs to the end; `meanwhile` on the test's thread once it is started.
  const JobResult& run(JobSpec spec, const std::function<void(JobMaster&)>& meanwhile = {});
  /// A listener for the next run.
  TestListener& new_listener() {
    listener = std::make_unique<TestListener>();
    return *listener;
  }

  sim::MemoryFileSystem& files() { return *files_; }
  /// Names under the job's folder that begin with `chk-`.
  std::vector<std::string> checkpoints_of(const JobId& job);

  Outside outside;
  WarningLog log;
  std::unique_ptr<TestListener> listener = std::make_unique<TestListener>();

 private:
  RealClock clock_;
  RealRandom random_;
  FileSystems stores_;
  sim::MemoryFileSystem* files_ = nullptr;
};

}  // namespace streamrun
