#pragma once

#include <streamrun/stream/batch.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace streamrun {

/// Where an operator or a user's function puts its records: `emit` appends to a batch, without a
/// virtual call; a full batch goes on to the next operator. Owned by its operator, used by its
/// thread.
template <typename T>
class Output {
 public:
  Output() : batch_(std::make_unique<Batch<T>>()), typed_(static_cast<Batch<T>*>(batch_.get())) {}

  void connect(BatchReceiver& receiver) { receiver_ = &receiver; }

  void emit(RecordRef<T> record) {
    typed_->append(record);
    if (typed_->full()) [[unlikely]]
      flush();
  }
  void emit(T&& record) requires(!std::is_same_v<T, std::string>) {
    typed_->append(std::move(record));
    if (typed_->full()) [[unlikely]]
      flush();
  }

  /// The batch being filled, for appending many records at once; call `flush_if_full` after.
  Batch<T>& batch() { return *typed_; }
  void flush_if_full() {
    if (typed_->full()) flush();
  }
  /// Sends what is there to the next operator: before an event, and when input runs out.
  void flush() {
    const std::size_t count = typed_->size();
    if (count == 0) return;
    records_ += count;
    receiver_->receive(batch_);
    batch_->clear();
    typed_ = static_cast<Batch<T>*>(batch_.get());
  }
  std::uint64_t records() const { return records_; }

 private:
  std::unique_ptr<AnyBatch> batch_;
  Batch<T>* typed_;
  BatchReceiver* receiver_ = nullptr;
  std::uint64_t records_ = 0;
};

}  // namespace streamrun
