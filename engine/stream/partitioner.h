#pragma once

#include <streamrun/base/key_groups.h>
#include <streamrun/stream/batch.h>
#include <streamrun/stream/select.h>
#include <streamrun/types/key_traits.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// The sending end of one channel, as a partitioner sees it.
class BatchSender {
 public:
  virtual ~BatchSender() = default;
  /// Takes the batch. Never blocks; the sender keeps what the ring has no room for, and the task
  /// stops after this step.
  virtual void send(std::unique_ptr<AnyBatch> batch) = 0;
  /// A used batch of the same type to fill again, or null.
  virtual std::unique_ptr<AnyBatch> recycled() = 0;
};

/// Distributes the records of one edge over the channels to the subtasks downstream.
class Partitioner : public BatchReceiver {
 public:
  /// Sends part-filled batches on.
  virtual void flush() = 0;
};

using Senders = std::vector<BatchSender*>;

namespace detail {
/// Sends the content of `batch` and leaves an empty one in its place.
inline void send_and_replace(std::unique_ptr<AnyBatch>& batch, BatchSender& sender) {
  std::unique_ptr<AnyBatch> next = sender.recycled();
  if (next == nullptr) next = batch->make_empty();
  std::swap(batch, next);
  sender.send(std::move(next));
}
}  // namespace detail

/// Everything to one channel: forward edges, and any edge to a single subtask.
class ForwardPartitioner final : public Partitioner {
 public:
  explicit ForwardPartitioner(Senders senders) : senders_(std::move(senders)) {
    SR_ASSERT(senders_.size() == 1, "a forward edge has one channel");
  }
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    batch->key_hashes.clear();
    detail::send_and_replace(batch, *senders_.front());
  }
  void flush() override {}

 private:
  Senders senders_;
};

/// Whole batches to the channels in turn, starting with the one of its own subtask.
class RebalancePartitioner final : public Partitioner {
 public:
  RebalancePartitioner(Senders senders, int subtask)
      : senders_(std::move(senders)), next_(static_cast<std::size_t>(subtask) % senders_.size()) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    batch->key_hashes.clear();
    detail::send_and_replace(batch, *senders_[next_]);
    next_ = (next_ + 1) % senders_.size();
  }
  void flush() override {}

 private:
  Senders senders_;
  std::size_t next_;
};

/// Every record to every channel.
class BroadcastPartitioner final : public Partitioner {
 public:
  explicit BroadcastPartitioner(Senders senders) : senders_(std::move(senders)) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    batch->key_hashes.clear();
    for (std::size_t i = 1; i < senders_.size(); ++i) senders_[i]->send(batch->clone());
    detail::send_and_replace(batch, *senders_.front());
  }
  void flush() override {}

 private:
  Senders senders_;
};

/// Each record to the subtask that owns its key group; its hash travels along.
template <typename T, typename K, typename Selector>
class KeyGroupPartitioner final : public Partitioner {
 public:
  /// `level` at most `vector_level()`.
  KeyGroupPartitioner(Senders senders, int max_parallelism, Selector selector,
                      VectorLevel level = vector_level())
      : senders_(std::move(senders)),
        max_parallelism_(max_parallelism),
        selector_(std::move(selector)),
        selects_(kIsSelectable && level == VectorLevel::avx512 &&
                 (max_parallelism & (max_parallelism - 1)) == 0 &&
                 senders_.size() <= kMostSelectTargets) {
    const int parallelism = static_cast<int>(senders_.size());
    target_of_group_.resize(static_cast<std::size_t>(max_parallelism));
    for (int group = 0; group < max_parallelism; ++group) {
      target_of_group_[static_cast<std::size_t>(group)] =
          static_cast<std::uint16_t>(subtask_of_key_group(group, parallelism, max_parallelism));
    }
    if (parallelism > 1) {
      for (int i = 0; i < parallelism; ++i) pending_.push_back(std::make_unique<Batch<T>>());
      lanes_.resize(senders_.size());
    }
  }

  void receive(std::unique_ptr<AnyBatch>& batch) override {
    auto& typed = static_cast<Batch<T>&>(*batch);
    hash_all(typed);
    if (senders_.size() == 1) {
      detail::send_and_replace(batch, *senders_.front());
    } else {
      scatter(typed);
    }
  }

  void flush() override {
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (!pending_[i]->key_hashes.empty()) detail::send_and_replace(pending_[i], *senders_[i]);
    }
  }

 private:
  static constexpr bool kIsText = std::is_same_v<T, std::string>;
  static constexpr bool kIsTrivial = Batch<T>::kIsTrivial;
  static constexpr bool kIsSelectable =
      kIsText || (kIsTrivial && (sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16));
  struct Lane {
    std::conditional_t<kIsText, SmallString, T>* records = nullptr;
    std::uint32_t* hashes = nullptr;
  };
  static constexpr bool kKeyIsRecord =
      kIsText && std::is_same_v<K, std::string> && std::is_same_v<Selector, std::identity>;

  void hash_all(Batch<T>& batch) {
    const std::size_t count = batch.size();
    batch.key_hashes.clear();
    std::uint32_t* const hashes = batch.key_hashes.extend(count);
    if constexpr (kKeyIsRecord) {
      java_hash_all(batch.slots().data(), count, hashes);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        hashes[i] = KeyTraits<K>::java_hash_of(std::invoke(selector_, batch[i]));
      }
    }
    murmur_hash_all(hashes, count);
  }

  void scatter(const Batch<T>& batch) {
    const auto modulus = static_cast<std::uint32_t>(max_parallelism_);
    if (selects_) {
      if constexpr (kIsSelectable) select(batch);
    } else if ((modulus & (modulus - 1)) == 0) {
      scatter(batch, [modulus](std::uint32_t hash) { return hash & (modulus - 1); });
    } else {
      scatter(batch, [modulus](std::uint32_t hash) { return hash % modulus; });
    }
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (pending(i).full()) detail::send_and_replace(pending_[i], *senders_[i]);
    }
  }

  /// Target after target.
  void select(const Batch<T>& batch) requires kIsTrivial {
    using Value = std::remove_pointer_t<decltype(Lane::records)>;
    const std::size_t count = batch.key_hashes.size();
    targets_.clear();
    std::uint8_t* const targets = targets_.extend(count + kSelectStep);
    find_targets(batch.key_hashes.data(), count, static_cast<int>(senders_.size()),
                 max_parallelism_, targets);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      Batch<T>& to = pending(i);
      TrivialVector<std::uint32_t>& hashes = to.key_hashes;
      const std::size_t before = hashes.size();
      Value* const records = to.extend(count + kSelectSlack / sizeof(Value));
      const auto target = static_cast<std::uint8_t>(i);
      const std::size_t chosen =
          select_values(batch.data(), sizeof(Value), targets, count, target, records);
      select_values(batch.key_hashes.data(), sizeof(std::uint32_t), targets, count, target,
                    hashes.extend(count + kSelectSlack / sizeof(std::uint32_t)));
      to.truncate(before + chosen);
      hashes.truncate(before + chosen);
      if constexpr (kIsText) {
        if (batch.holds_long()) to.hold_again(before);
      }
    }
  }

  /// The target of a record is a coin flip, so nothing branches on it: room for all records is made
  /// in each target, and each lane moves on by what it got. A target may get more records than fill
  /// a batch.
  template <typename GroupOf>
  void scatter(const Batch<T>& batch, GroupOf group_of) requires kIsTrivial {
    const std::size_t count = batch.key_hashes.size();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      lanes_[i] = {pending(i).extend(count), pending(i).key_hashes.extend(count)};
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t hash = batch.key_hashes[i];
      const std::size_t target = target_of_group_[group_of(hash)];
      Lane& lane = lanes_[target];
      *lane.hashes++ = hash;
      if constexpr (kIsText) {
        const SmallString& slot = batch.slots()[i];
        *lane.records++ = slot.is_inline() ? slot : pending(target).hold(slot.view());
      } else {
        *lane.records++ = batch[i];
      }
    }
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const auto used = static_cast<std::size_t>(lanes_[i].hashes - pending_[i]->key_hashes.data());
      pending(i).truncate(used);
      pending_[i]->key_hashes.truncate(used);
    }
  }
  template <typename GroupOf>
  void scatter(const Batch<T>& batch, GroupOf group_of) {
    const std::size_t count = batch.key_hashes.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t hash = batch.key_hashes[i];
      const std::size_t target = target_of_group_[group_of(hash)];
      pending(target).append(batch[i]);
      pending_[target]->key_hashes.push_back(hash);
    }
  }

  Batch<T>& pending(std::size_t target) { return static_cast<Batch<T>&>(*pending_[target]); }

  Senders senders_;
  int max_parallelism_;
  Selector selector_;
  bool selects_;
  TrivialVector<std::uint8_t> targets_;  ///< of the batch in hand
  std::vector<std::uint16_t> target_of_group_;
  std::vector<std::unique_ptr<AnyBatch>> pending_;  ///< one a target; none if there is one target
  std::vector<Lane> lanes_;                         ///< where the next record of each target goes
};

}  // namespace streamrun
