#pragma once

#include <streamrun/base/result.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <catch2/catch.hpp>

namespace streamrun {

/// Takes the answer of a JobControl, which comes on another thread, exactly once.
template <typename T>
class TestAnswer {
 public:
  std::function<void(Result<T>)> take() {
    return [shared = shared_](Result<T> result) {
      const std::lock_guard lock(shared->mutex);
      ++shared->times;
      shared->result.emplace(std::move(result));
      shared->changed.notify_all();
    };
  }
  /// False if none comes within a minute: no test may hang.
  bool wait() {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, std::chrono::minutes(1),
                                     [&] { return shared_->result.has_value(); });
  }
  const Result<T>& result() const {
    const std::lock_guard lock(shared_->mutex);
    REQUIRE(shared_->times == 1);
    return *shared_->result;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<T>> result;  // guarded by mutex
    int times = 0;                    // guarded by mutex
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace streamrun
