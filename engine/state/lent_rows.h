#pragma once

#include <streamrun/base/trivial_vector.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <utility>

namespace streamrun {

/// Neighbouring slots of a table that another thread reads where they lie, so that their owner need
/// not copy them. The owner leaves them as they are while they are lent; if it has to write there
/// first, it takes them back and the reader gets a copy. Two threads: the owner and one reader.
class LentRows {
 public:
  /// `first` up to `bytes` further stays valid until they are back.
  LentRows(int group, const std::byte* first, std::size_t bytes)
      : group_(group), first_(first), bytes_(bytes) {}

  int group() const { return group_; }
  std::size_t bytes() const { return bytes_; }
  bool contains(const std::byte* row) const { return row >= first_ && row < first_ + bytes_; }

  /// The reader, once: `use(first, bytes)` on the rows as they were when they were lent. May wait
  /// for the owner to copy them.
  template <typename F>
  void read(F&& use) {
    if (start(kReading)) {
      use(first_, bytes_);
      finish(kBack);
      return;
    }
    state_.wait(kCopying, std::memory_order_acquire);
    const TrivialVector<char> copy = std::move(copy_);
    use(reinterpret_cast<const std::byte*>(copy.data()), copy.size());
  }

  /// The owner: afterwards the slots are its own. May wait for the reader to finish with them.
  void take_back() {
    if (state_.load(std::memory_order_relaxed) == kLent) {
      // Before the reader has to wait for it: this may fail for want of memory.
      TrivialVector<char> copy;
      copy.extend(bytes_);
      if (start(kCopying)) {
        std::memcpy(copy.data(), first_, bytes_);
        copy_ = std::move(copy);
        finish(kBack);
        return;
      }
    }
    state_.wait(kReading, std::memory_order_acquire);
  }
  /// Whether the owner may write there.
  bool is_back() const { return state_.load(std::memory_order_acquire) == kBack; }

 private:
  static constexpr int kLent = 0;
  static constexpr int kReading = 1;
  static constexpr int kCopying = 2;
  static constexpr int kBack = 3;

  bool start(int state) {
    int lent = kLent;
    return state_.compare_exchange_strong(lent, state, std::memory_order_acquire);
  }
  void finish(int state) {
    state_.store(state, std::memory_order_release);
    state_.notify_one();
  }

  const int group_;
  const std::byte* const first_;
  const std::size_t bytes_;
  std::atomic<int> state_ = kLent;
  TrivialVector<char> copy_;  ///< of the owner while `state_` is kCopying, later of the reader
};

}  // namespace streamrun
