#pragma once

#include <streamrun/platform/executor.h>

#include <deque>
#include <functional>
#include <utility>

namespace streamrun {

/// I/O jobs and the mail that follows them wait until the test runs them, on its own thread.
class QueuedIo final : public IoExecutor {
 public:
  void submit(UniqueFunction<void()> job) override { jobs_.push_back(std::move(job)); }
  std::function<void(UniqueFunction<void()>)> poster() {
    return [this](UniqueFunction<void()> letter) { mail_.push_back(std::move(letter)); };
  }
  bool run_job() { return run_first_of(jobs_); }
  bool deliver() { return run_first_of(mail_); }
  void settle() {
    while (deliver() || run_job()) {
    }
  }
  bool idle() const { return jobs_.empty() && mail_.empty(); }

 private:
  static bool run_first_of(std::deque<UniqueFunction<void()>>& queue) {
    if (queue.empty()) return false;
    UniqueFunction<void()> first = std::move(queue.front());
    queue.pop_front();
    first();
    return true;
  }
  std::deque<UniqueFunction<void()>> jobs_;
  std::deque<UniqueFunction<void()>> mail_;
};

}  // namespace streamrun
