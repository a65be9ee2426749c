#pragma once

#include <streamrun/base/unique_function.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace streamrun {

/// Keeps what a table has changed out of its database while the database is being copied: so the
/// copy has what was there when it began, whatever RocksDB flushes and merges meanwhile. The
/// table's thread closes it and waits, an I/O thread copies; the table's thread does that itself if
/// it has to wait and no I/O thread has come to it, which may be held up by a slow store.
class WriteGate {
 public:
  using Copy = UniqueFunction<void()>;

  /// Closed until `copy` has been run or dropped, under the number that this returns.
  std::uint64_t close(Copy copy) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t number = ++newest_;
    copies_.emplace(number, std::move(copy));
    closed_.fetch_add(1, std::memory_order_relaxed);
    return number;
  }
  /// Runs it, unless somebody else has begun to, or it was dropped. Any thread.
  void run(std::uint64_t number) {
    std::unique_lock lock(mutex_);
    const auto found = copies_.find(number);
    if (found != copies_.end()) run(lock, found);
  }
  /// It is not needed: nothing if somebody has begun to run it.
  void drop(std::uint64_t number) {
    const std::scoped_lock lock(mutex_);
    if (copies_.erase(number) != 0) open();
  }

  bool is_closed() const { return closed_.load(std::memory_order_acquire) != 0; }
  void wait_until_open() {
    if (!is_closed()) return;
    std::unique_lock lock(mutex_);
    while (is_closed()) {
      if (copies_.empty()) {
        changed_.wait(lock);
      } else {
        run(lock, copies_.begin());
      }
    }
  }

 private:
  using Copies = std::map<std::uint64_t, Copy>;

  void run(std::unique_lock<std::mutex>& lock, Copies::iterator which) {
    {
      Copy copy = std::move(which->second);
      copies_.erase(which);
      lock.unlock();
      copy();
    }
    lock.lock();
    open();
  }
  void open() {
    closed_.fetch_sub(1, std::memory_order_release);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> closed_{0};  ///< by so many copies
  std::uint64_t newest_ = 0;    ///< guarded by mutex_
  Copies copies_;               ///< that nobody has begun; guarded by mutex_
};

}  // namespace streamrun
