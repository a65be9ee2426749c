#pragma once

#include <streamrun/platform/executor.h>

#include <deque>
#include <functional>
#include <utility>

namespace streamrun {

/// Runs blocking calls one after another on I/O threads, and what follows each on the owner's
/// thread. Owned by one thread; `post` brings it mail.
class IoStrand {
 public:
  using Post = std::function<void(UniqueFunction<void()>)>;
  IoStrand(IoExecutor& io, Post post) : io_(io), post_(std::move(post)) {}

  /// `call` on an I/O thread after all earlier ones, then `then(result)` on the owner's thread.
  template <typename Call, typename Then>
  void run(Call call, Then then) {
    queue_.push_back([this, call = std::move(call), then = std::move(then)]() mutable {
      io_.submit([this, call = std::move(call), then = std::move(then)]() mutable {
        auto result = call();
        post_([this, result = std::move(result), then = std::move(then)]() mutable {
          busy_ = false;
          then(std::move(result));
          start_next();
        });
      });
    });
    start_next();
  }
  bool idle() const { return !busy_ && queue_.empty(); }

 private:
  void start_next() {
    if (busy_ || queue_.empty()) return;
    busy_ = true;
    UniqueFunction<void()> next = std::move(queue_.front());
    queue_.pop_front();
    next();
  }
  IoExecutor& io_;
  Post post_;
  std::deque<UniqueFunction<void()>> queue_;
  bool busy_ = false;
};

}  // namespace streamrun
