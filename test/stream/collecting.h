#pragma once

#include <streamrun/stream/batch.h>
#include <streamrun/stream/partitioner.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

template <typename T>
std::unique_ptr<AnyBatch> batch_of(const std::vector<T>& records) {
  auto batch = std::make_unique<Batch<T>>();
  for (const T& record : records) batch->append(record);
  return batch;
}

template <typename T>
std::vector<T> records_of(const AnyBatch& batch) {
  std::vector<T> records;
  for (RecordRef<T> record : static_cast<const Batch<T>&>(batch)) records.emplace_back(record);
  return records;
}

/// A batch that has adopted `text`, with bytes in front of it and behind it that are not its own.
inline std::unique_ptr<AnyBatch> batch_of_lines(std::string_view text) {
  TextBlock block = TextBlock::of_capacity(text.size() + 6);
  std::memcpy(block.bytes.get(), "xx\n", 3);
  std::memcpy(block.bytes.get() + 3, text.data(), text.size());
  std::memcpy(block.bytes.get() + 3 + text.size(), "\nyy", 3);
  auto batch = std::make_unique<Batch<std::string>>();
  batch->adopt_lines(std::move(block), text.size(), 3);
  return batch;
}

/// Keeps what it is given. With `swaps` it takes batches as an exchange does, leaving an empty one
/// in their place.
template <typename T>
class CollectingReceiver final : public BatchReceiver {
 public:
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    sizes.push_back(batch->size());
    for (T& record : records_of<T>(*batch)) records.push_back(std::move(record));
    if (swaps) batch = batch->make_empty();
  }
  std::vector<T> records;
  std::vector<std::size_t> sizes;
  bool swaps = false;
};

/// One channel as a partitioner sees it.
class CollectingSender final : public BatchSender {
 public:
  void send(std::unique_ptr<AnyBatch> batch) override { sent.push_back(std::move(batch)); }
  std::unique_ptr<AnyBatch> recycled() override {
    if (used.empty()) return nullptr;
    std::unique_ptr<AnyBatch> batch = std::move(used.back());
    used.pop_back();
    return batch;
  }
  template <typename T>
  std::vector<T> records() const {
    std::vector<T> all;
    for (const auto& batch : sent) {
      for (T& record : records_of<T>(*batch)) all.push_back(std::move(record));
    }
    return all;
  }
  std::vector<std::uint32_t> hashes() const {
    std::vector<std::uint32_t> all;
    for (const auto& batch : sent)
      all.insert(all.end(), batch->key_hashes.begin(), batch->key_hashes.end());
    return all;
  }
  std::deque<std::unique_ptr<AnyBatch>> sent;
  std::vector<std::unique_ptr<AnyBatch>> used;
};

/// Channels to `count` subtasks.
struct Channels {
  explicit Channels(std::size_t count) : each(count) {}
  Senders senders() {
    Senders all;
    for (CollectingSender& sender : each) all.push_back(&sender);
    return all;
  }
  CollectingSender& operator[](std::size_t index) { return each[index]; }
  std::deque<CollectingSender> each;
};

}  // namespace streamrun
