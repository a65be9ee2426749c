#pragma once

#include <streamrun/base/assert.h>
#include <streamrun/base/trivial_vector.h>
#include <streamrun/types/small_string.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// Records in one batch: enough to amortise a virtual call and a ring slot, small enough to stay in
/// the L1 cache.
constexpr std::size_t kBatchRecords = 1024;
/// Bytes of variable length after which a batch is full whatever its count.
constexpr std::size_t kBatchBytes = std::size_t{256} * 1024;

/// What moves through the data plane: records of one type. The runtime knows only this; operators
/// know `Batch<T>`. One thread owns a batch at any time.
class AnyBatch {
 public:
  AnyBatch() = default;
  AnyBatch(const AnyBatch&) = delete;
  AnyBatch& operator=(const AnyBatch&) = delete;
  virtual ~AnyBatch() = default;

  virtual std::size_t size() const = 0;
  /// Drops the records, keeps the memory.
  virtual void clear() = 0;
  virtual std::unique_ptr<AnyBatch> make_empty() const = 0;
  virtual std::unique_ptr<AnyBatch> clone() const = 0;
  bool empty() const { return size() == 0; }

  /// `key_hash_of` each record after a keyed exchange, so that it is computed once; else empty.
  TrivialVector<std::uint32_t> key_hashes;
};

template <typename T>
class Batch final : public AnyBatch {
 public:
  using Ref = const T&;
  /// Records that may be copied as bytes can be written in place.
  static constexpr bool kIsTrivial = std::is_trivially_copyable_v<T> && alignof(T) <= 64;

  std::size_t size() const override { return records_.size(); }
  bool full() const { return records_.size() >= kBatchRecords; }
  void clear() override {
    records_.clear();
    key_hashes.clear();
  }
  std::unique_ptr<AnyBatch> make_empty() const override { return std::make_unique<Batch>(); }
  std::unique_ptr<AnyBatch> clone() const override {
    auto copy = std::make_unique<Batch>();
    copy->records_ = records_;
    copy->key_hashes = key_hashes;
    return copy;
  }

  void append(const T& record) { records_.push_back(record); }
  void append(T&& record) { records_.push_back(std::move(record)); }
  Ref operator[](std::size_t index) const { return records_[index]; }
  auto begin() const { return records_.begin(); }
  auto end() const { return records_.end(); }

  const T* data() const requires kIsTrivial { return records_.data(); }
  /// Appends `count` records that the caller writes.
  T* extend(std::size_t count) requires kIsTrivial { return records_.extend(count); }
  void truncate(std::size_t count) requires kIsTrivial { records_.truncate(count); }

 private:
  std::conditional_t<kIsTrivial, TrivialVector<T>, std::vector<T>> records_;
};

/// A piece of memory that a source has read text into.
struct TextBlock {
  std::unique_ptr<char[]> bytes;
  std::size_t capacity = 0;
  static TextBlock of_capacity(std::size_t capacity) {
    return {std::unique_ptr<char[]>(new char[capacity]), capacity};
  }
};

/// Strings: short ones inline in 16 bytes, longer ones in memory that travels with the batch. A
/// batch may also adopt a block of text as it was read; it is cut into lines only if somebody asks
/// for the lines.
template <>
class Batch<std::string> final : public AnyBatch {
 public:
  using Ref = std::string_view;
  static constexpr bool kIsTrivial = true;

  /// Counts the lines of an adopted block without cutting it.
  std::size_t size() const override {
    return text_.empty() || !slots_.empty() ? slots_.size() : count_lines();
  }
  bool full() const { return slots_.size() >= kBatchRecords || arena_.used_bytes() >= kBatchBytes; }
  void clear() override;
  std::unique_ptr<AnyBatch> make_empty() const override { return std::make_unique<Batch>(); }
  std::unique_ptr<AnyBatch> clone() const override;

  void append(std::string_view record) {
    SR_ASSERT(text_.empty(), "a batch holds either a block of text or single strings");
    slots_.push_back(arena_.hold(record));
  }
  /// A string of at most 15 bytes that is in its slot already.
  void append_short(const SmallString& slot) { slots_.push_back(slot); }
  /// Appends `count` strings that the caller writes into the slots returned, with `hold` for those
  /// that are long.
  SmallString* extend(std::size_t count) { return slots_.extend(count); }
  void truncate(std::size_t count) { slots_.truncate(count); }
  SmallString hold(std::string_view record) { return arena_.hold(record); }
  const SmallString* data() const { return slots().data(); }
  /// Whether there may be strings that refer to memory.
  bool holds_long() const { return arena_.used_bytes() > 0 || !text_.empty(); }
  /// Takes the bytes of the long strings from record `first` on into its own memory, wherever they
  /// are now.
  void hold_again(std::size_t first) {
    for (std::size_t i = first; i < slots_.size(); ++i) {
      if (!slots_[i].is_inline()) slots_[i] = arena_.hold(slots_[i].view());
    }
  }

  /// Makes the batch hold the lines in `size` bytes of `block`, from `begin` on. Each line ends
  /// with a newline but perhaps the last. The batch must be empty.
  void adopt_lines(TextBlock block, std::size_t size, std::size_t begin = 0);
  /// Gives the adopted block back for use again, if there is one. The batch is empty afterwards.
  TextBlock take_block();

  Ref operator[](std::size_t index) const { return slots()[index].view(); }
  const TrivialVector<SmallString>& slots() const {
    if (!text_.empty() && slots_.empty()) split_lines();
    return slots_;
  }

  /// Calls `use` with pieces of text that hold the records, each piece a whole number of them, with
  /// a newline between two: the whole block at once where there is one. For functions that live on
  /// speed.
  template <typename F>
  void for_each_text(F&& use) const {
    if (!text_.empty()) return use(text_);
    for (const SmallString& slot : slots_) use(slot.view());
  }

  class Iterator {
   public:
    explicit Iterator(const SmallString* at) : at_(at) {}
    std::string_view operator*() const { return at_->view(); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const SmallString* at_;
  };
  Iterator begin() const { return Iterator(slots().data()); }
  Iterator end() const { return Iterator(slots().data() + slots().size()); }

 private:
  void split_lines() const;
  std::size_t count_lines() const;

  mutable TrivialVector<SmallString> slots_;  // mutable: cut from `text_` when first asked for
  StringArena arena_;
  TextBlock block_;
  std::string_view text_;
  mutable std::size_t line_count_ = 0;  // of `text_`, once counted
};

/// How a record of type T is handed to functions: strings as views, everything else by reference.
template <typename T>
using RecordRef = typename Batch<T>::Ref;

/// Whoever takes batches: the next operator of a chain, or the writer to an exchange. The receiver
/// may take what is in the batch by swapping; on return `batch` is not null and its content is of
/// no use to the caller but for `clear`.
class BatchReceiver {
 public:
  virtual ~BatchReceiver() = default;
  virtual void receive(std::unique_ptr<AnyBatch>& batch) = 0;
};

}  // namespace streamrun
