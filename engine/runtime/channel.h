#pragma once

#include <streamrun/platform/executor.h>
#include <streamrun/stream/events.h>
#include <streamrun/stream/partitioner.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace streamrun {

/// One thing in a channel: a batch, or an event that stands between batches.
struct StreamElement {
  std::unique_ptr<AnyBatch> batch;  ///< null for an event
  StreamEvent event = EndOfInput{};
};

/// A bounded ring with one writer and one reader thread. Nothing is copied; a slot that was read
/// keeps nothing.
template <typename T>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity) : slots_(capacity), mask_(capacity - 1) {
    SR_ASSERT(capacity > 0 && (capacity & mask_) == 0, "a ring's capacity is a power of two");
  }
  /// Writer only. Leaves `value` as it is when there is no room.
  bool try_push(T& value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ > mask_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ > mask_) return false;
    }
    slots_[tail & mask_] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  /// Reader only.
  bool try_pop(T& value) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return false;
    }
    value = std::move(slots_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  /// Any thread; a moment's truth.
  std::size_t size() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }
  std::size_t capacity() const { return mask_ + 1; }

 private:
  std::vector<T> slots_;
  std::size_t mask_;
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;  ///< writer's
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;  ///< reader's
};

/// Which channels of a gate have something, as their writers say: polling idle rings would cost
/// more than the work. A writer pushes, then marks; the reader takes the marks, then pops until the
/// ring is empty: nothing stays unseen.
///
/// Of many channels a second level says which words may have any, so that idle ones cost nothing.
/// The reader clears it first: a writer that finds its bit there was before that, and its mark is
/// seen.
class ReadyChannels {
 public:
  explicit ReadyChannels(std::size_t channels)
      : words_((channels + 63) / 64),
        marked_(words_.size() > kFewWords ? (words_.size() + 63) / 64 : 0) {}
  /// Any thread.
  void mark(std::size_t channel) {
    set(words_, channel);
    if (marked_.empty()) return;
    const std::size_t word = channel / 64;
    if ((marked_[word / 64].load() >> word % 64 & 1U) == 0) set(marked_, word);
  }
  /// Whether `take` would find any, perhaps.
  bool any() const {
    const Words& words = marked_.empty() ? words_ : marked_;
    return std::any_of(words.begin(), words.end(), [](const std::atomic<std::uint64_t>& word) {
      return word.load(std::memory_order_relaxed) != 0;
    });
  }
  /// The reader: `use(word, bits)` for those of channels 64 `word` and up that are marked. They no
  /// longer are.
  template <typename F>
  void take(F&& use) {
    if (marked_.empty()) return take_words(words_, use);
    take_words(marked_, [&](std::size_t group, std::uint64_t bits) {
      for (; bits != 0; bits &= bits - 1) {
        const std::size_t word = group * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        if (const std::uint64_t marks = words_[word].exchange(0)) use(word, marks);
      }
    });
  }

 private:
  using Words = std::vector<std::atomic<std::uint64_t>>;
  /// A cache line: to look through it costs less than to mark twice.
  static constexpr std::size_t kFewWords = 8;

  static void set(Words& words, std::size_t bit) {
    words[bit / 64].fetch_or(std::uint64_t{1} << bit % 64);
  }
  template <typename F>
  static void take_words(Words& words, F&& use) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].load(std::memory_order_relaxed) == 0) continue;
      if (const std::uint64_t bits = words[i].exchange(0)) use(i, bits);
    }
  }

  Words words_;
  Words marked_;  ///< a bit for each word; empty if they are few
};

/// Who to wake: known only once the task runs. The id is packed so that it can be set while others
/// wake.
struct WakeTarget {
  Executor* executor = nullptr;
  static constexpr std::uint64_t kUnset = ~std::uint64_t{0};
  std::atomic<std::uint64_t> packed{kUnset};  ///< worker (12 bits), slot (20), generation (32)

  void set(RunnableId id) {
    packed.store(static_cast<std::uint64_t>(id.worker) << 52U |
                 static_cast<std::uint64_t>(id.slot) << 32U | id.generation);
  }
  void wake() {
    const std::uint64_t value = packed.load();
    if (value == kUnset) return;
    executor->wake({static_cast<int>(value >> 52U), static_cast<int>(value >> 32U & 0xfffffU),
                    static_cast<std::uint32_t>(value)});
  }
};

/// From one subtask upstream to one subtask downstream; used batches flow back. Beside the ring a
/// small way for announcements: of barriers that may overtake what is in the ring. Shared by
/// exactly two threads.
class Channel {
 public:
  static constexpr std::size_t kCapacity = 16;
  static constexpr std::size_t kAnnouncements = 4;

  /// `announced` null: nothing is announced.
  Channel(std::size_t index, ReadyChannels& ready, WakeTarget& consumer, WakeTarget& producer,
          ReadyChannels* announced = nullptr)
      : ring_(kCapacity),
        recycled_(2 * kCapacity),
        announcements_(announced != nullptr ? kAnnouncements : 1),
        index_(index),
        ready_(ready),
        announced_(announced),
        consumer_(consumer),
        producer_(producer) {}

  // Writer's thread.
  bool try_push(StreamElement& element) {
    if (!ring_.try_push(element)) return false;
    ready_.mark(index_);
    consumer_.wake();
    return true;
  }
  /// The barrier is in the ring by now, or will be as soon as there is room. One that finds no room
  /// here is not announced: it only can't overtake on this channel by itself.
  void announce(CheckpointBarrier barrier) {
    if (announced_ == nullptr || !announcements_.try_push(barrier)) return;
    announced_->mark(index_);
    consumer_.wake();
  }
  /// Asks to be woken when there is room; false if there is room by now.
  bool wait_for_room() {
    waiting_.exchange(1);
    return ring_.size() >= ring_.capacity();
  }
  /// What the reader has pulled out of the ring is as good as in it: or each checkpoint that
  /// overtakes would let in a ring full more. Asks to be woken.
  bool waits_for_reader() {
    if (pulled_.load(std::memory_order_relaxed) < kCapacity) return false;
    waiting_.exchange(1);
    return pulled_.load() >= kCapacity;
  }
  std::unique_ptr<AnyBatch> take_recycled() {
    std::unique_ptr<AnyBatch> batch;
    recycled_.try_pop(batch);
    return batch;
  }

  // Reader's thread.
  bool try_pop(StreamElement& element) {
    if (!ring_.try_pop(element)) return false;
    // A writer that waits changes `waiting_`, then looks at the ring; here the ring changes, then
    // this does. Whichever change comes second sees the first, so no wake-up is lost. (A fence
    // would do, but no sanitizer knows fences.)
    if (waiting_.fetch_add(0) != 0 && ring_.size() <= ring_.capacity() / 2) wake_producer();
    return true;
  }
  /// So many are pulled, that is popped, and not read.
  void set_pulled(std::size_t count) {
    pulled_.store(count);
    const bool has_room = count <= kCapacity / 2 && ring_.size() <= ring_.capacity() / 2;
    if (waiting_.fetch_add(0) != 0 && has_room) wake_producer();
  }
  bool take_announcement(CheckpointBarrier& barrier) { return announcements_.try_pop(barrier); }
  void recycle(std::unique_ptr<AnyBatch> batch) {
    batch->clear();
    recycled_.try_push(batch);
  }

 private:
  void wake_producer() {
    waiting_.store(0);
    producer_.wake();
  }

  SpscRing<StreamElement> ring_;
  SpscRing<std::unique_ptr<AnyBatch>> recycled_;
  SpscRing<CheckpointBarrier> announcements_;
  // Constant after construction, read by the writer with every push.
  std::size_t index_;
  ReadyChannels& ready_;
  ReadyChannels* announced_;
  WakeTarget& consumer_;
  WakeTarget& producer_;
  alignas(64) std::atomic<std::uint32_t> waiting_{0};  ///< 1: the writer is to be woken
  alignas(64) std::atomic<std::size_t> pulled_{0};     ///< set by the reader, seldom
};

/// The sending end with what the ring had no room for: at most what one step of the task emits.
/// Writer's thread.
class ChannelWriter final : public BatchSender {
 public:
  explicit ChannelWriter(Channel& channel) : channel_(channel) {}

  void send(std::unique_ptr<AnyBatch> batch) override { push({std::move(batch), EndOfInput{}}); }
  void send_event(const StreamEvent& event) { push({nullptr, event}); }
  /// At its place behind what was sent before, and announced if it may overtake that.
  void send_barrier(const CheckpointBarrier& barrier) {
    push({nullptr, barrier});
    if (barrier.overtake_at) channel_.announce(barrier);
  }
  std::unique_ptr<AnyBatch> recycled() override { return channel_.take_recycled(); }

  /// Moves on what waits; true if nothing does any more. When false the task will be woken.
  bool have_room() {
    while (!overflow_.empty()) {
      if (channel_.try_push(overflow_.front())) {
        overflow_.pop_front();
      } else if (channel_.wait_for_room()) {
        return false;
      }
    }
    return !channel_.waits_for_reader();
  }

 private:
  void push(StreamElement element) {
    if (overflow_.empty() && channel_.try_push(element)) return;
    overflow_.push_back(std::move(element));
  }
  Channel& channel_;
  std::deque<StreamElement> overflow_;
};

}  // namespace streamrun
