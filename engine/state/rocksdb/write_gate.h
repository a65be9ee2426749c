#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace streamrun {

/// Keeps what a table has changed out of its database while the database is being copied: so the
/// copy has what was there when it began, whatever RocksDB flushes and merges meanwhile. The
/// table's thread closes and waits, an I/O thread opens.
class WriteGate {
 public:
  /// Closes it for as long as this lives.
  class Closed {
   public:
    explicit Closed(std::shared_ptr<WriteGate> gate) : gate_(std::move(gate)) {
      gate_->closed_.fetch_add(1, std::memory_order_relaxed);
    }
    ~Closed() {
      {
        const std::scoped_lock lock(gate_->mutex_);
        gate_->closed_.fetch_sub(1, std::memory_order_release);
      }
      gate_->changed_.notify_all();
    }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    const std::shared_ptr<WriteGate> gate_;
  };

  bool is_closed() const { return closed_.load(std::memory_order_acquire) != 0; }
  void wait_until_open() {
    if (!is_closed()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !is_closed(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> closed_{0};  ///< by so many
};

}  // namespace streamrun
