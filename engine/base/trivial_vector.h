#pragma once

#include <streamrun/base/assert.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace streamrun {

/// A vector of trivially copyable values that does not construct what it makes room for: a hot loop
/// writes into `extend` what std::vector would first fill with zeros. Its memory is aligned to
/// cache lines. Owned by one thread at a time.
template <typename T>
class TrivialVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  TrivialVector() = default;
  TrivialVector(TrivialVector&& other) noexcept { swap(other); }
  TrivialVector& operator=(TrivialVector&& other) noexcept {
    swap(other);
    return *this;
  }
  TrivialVector(const TrivialVector& other) { *this = other; }
  TrivialVector& operator=(const TrivialVector& other) {
    if (this != &other) {
      clear();
      if (!other.empty()) std::copy_n(other.data(), other.size(), extend(other.size()));
    }
    return *this;
  }
  ~TrivialVector() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return values_.get(); }
  const T* data() const { return values_.get(); }
  T& operator[](std::size_t index) { return values_.get()[index]; }
  const T& operator[](std::size_t index) const { return values_.get()[index]; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

  void clear() { size_ = 0; }
  void push_back(const T& value) {
    if (size_ == capacity_) [[unlikely]] {
      const T copy = value;  // it may be one of the values that move
      *extend(1) = copy;
      return;
    }
    values_.get()[size_++] = value;
  }
  /// Appends `count` values of no defined content, for the caller to write; returns the first.
  T* extend(std::size_t count) {
    if (size_ + count > capacity_) grow(size_ + count);
    T* const first = values_.get() + size_;
    size_ += count;
    return first;
  }
  /// Drops values from the end.
  void truncate(std::size_t size) {
    SR_ASSERT(size <= size_, "truncating does not make longer");
    size_ = size;
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* values) const { ::operator delete(values, kAlignment); }
  };

  void swap(TrivialVector& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  void grow(std::size_t wanted) {
    const std::size_t capacity = std::max({wanted, capacity_ + capacity_ / 2, std::size_t{64}});
    std::unique_ptr<T, Free> grown(
        static_cast<T*>(::operator new(capacity * sizeof(T), kAlignment)));
    if (size_ > 0) std::memcpy(static_cast<void*>(grown.get()), data(), size_ * sizeof(T));
    values_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<T, Free> values_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace streamrun
