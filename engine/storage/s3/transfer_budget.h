#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

namespace streamrun {

/// Memory for what many open files send and read ahead at the same time. It is asked for, never
/// waited for: a file that waited while it holds some, for others that do the same, would wait for
/// ever. Who gets none moves one piece at a time, in its caller's thread. Thread-safe; outlives
/// what it has lent.
class TransferBudget {
 public:
  class Lease {
   public:
    Lease() = default;
    Lease(TransferBudget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}
    Lease(Lease&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (budget_ != nullptr) budget_->give_back(bytes_);
    }
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    TransferBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit TransferBudget(std::size_t bytes) : free_(bytes) {}
  /// An empty one if there is not so much left.
  Lease try_take(std::size_t bytes);

 private:
  void give_back(std::size_t bytes);

  std::mutex mutex_;
  std::size_t free_;  ///< guarded by mutex_
};

}  // namespace streamrun
