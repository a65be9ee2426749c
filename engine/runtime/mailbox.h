#pragma once

#include <streamrun/base/unique_function.h>
#include <streamrun/runtime/channel.h>

#include <atomic>
#include <deque>
#include <mutex>

namespace streamrun {

/// Messages to the thread that owns a task, in the order in which they were posted. Many writers,
/// one reader.
class Mailbox {
 public:
  using Mail = UniqueFunction<void()>;
  explicit Mailbox(WakeTarget& owner) : owner_(&owner) {}

  /// Any thread. Does nothing after `close`.
  void post(Mail mail) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      queue_.push_back(std::move(mail));
      has_mail_.store(true, std::memory_order_release);
      owner_->wake();
    }
  }
  /// Owner's thread: the next mail, or an empty function. One relaxed load when there is none.
  Mail try_take() {
    if (!has_mail_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return {};
    Mail mail = std::move(queue_.front());
    queue_.pop_front();
    if (queue_.empty()) has_mail_.store(false, std::memory_order_relaxed);
    return mail;
  }
  /// No mail is taken any more and nobody is woken: the owner may go away.
  void close() {
    std::deque<Mail> dropped;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(queue_);
  }

 private:
  std::mutex mutex_;
  std::deque<Mail> queue_;  // guarded by mutex_
  bool closed_ = false;     // guarded by mutex_
  WakeTarget* owner_;       // used under mutex_, so not after close
  std::atomic<bool> has_mail_{false};
};

}  // namespace streamrun
