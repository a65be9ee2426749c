#pragma once

#include <streamrun/base/assert.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace streamrun {

/// A set of slot numbers that any thread may add to and one thread, the owner, empties: one bit a
/// slot. It grows by chunks of one cache line that never move, so that a number may be added while
/// the set grows.
class ReadySet {
 public:
  static constexpr std::size_t kSlotsPerChunk = 512;
  static constexpr std::size_t kMaxChunks = 256;
  static constexpr std::size_t kMaxSlots = kSlotsPerChunk * kMaxChunks;

  ReadySet() = default;
  ~ReadySet() {
    for (const auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }
  ReadySet(const ReadySet&) = delete;
  ReadySet& operator=(const ReadySet&) = delete;

  /// Makes room for slots below `slots`. Calls must not run at the same time as each other.
  void grow(std::size_t slots) {
    SR_ASSERT(slots <= kMaxSlots, "a worker has room for 131072 runnables");
    std::size_t count = chunk_count_.load(std::memory_order_relaxed);
    for (; count * kSlotsPerChunk < slots; ++count) {
      chunks_[count].store(std::make_unique<Chunk>().release(), std::memory_order_release);
      chunk_count_.store(count + 1, std::memory_order_seq_cst);
    }
  }

  /// Returns whether it was in the set already. Everything before the call happens before the owner
  /// takes it out. That is why there is no shortcut by a plain load: the load may see a bit which
  /// the owner is just clearing while what the caller wrote is still on its way, and the owner
  /// would miss it.
  bool insert(std::size_t slot) {
    const std::uint64_t bit = bit_of(slot);
    return (word_of(slot).fetch_or(bit, std::memory_order_seq_cst) & bit) != 0;
  }
  /// The same, cheaper, from the owner's own thread: it can't be clearing the bit meanwhile.
  bool insert_by_owner(std::size_t slot) {
    const std::uint64_t bit = bit_of(slot);
    std::atomic<std::uint64_t>& word = word_of(slot);
    if ((word.load(std::memory_order_relaxed) & bit) != 0) return true;
    return (word.fetch_or(bit, std::memory_order_relaxed) & bit) != 0;
  }

  bool empty() const {
    const std::size_t count = chunk_count_.load(std::memory_order_seq_cst);
    for (std::size_t i = 0; i < count; ++i) {
      for (const auto& word : chunks_[i].load(std::memory_order_relaxed)->words) {
        if (word.load(std::memory_order_seq_cst) != 0) return false;
      }
    }
    return true;
  }

  /// Takes every slot out of the set and calls `visit(slot)` for each, until one returns false.
  /// Owner only.
  template <typename Visit>
  bool drain(Visit visit) {
    const std::size_t count = chunk_count_.load(std::memory_order_seq_cst);
    for (std::size_t i = 0; i < count; ++i) {
      Words& words = chunks_[i].load(std::memory_order_relaxed)->words;
      for (std::size_t j = 0; j < words.size(); ++j) {
        if (words[j].load(std::memory_order_relaxed) == 0) continue;  // spares the locked operation
        std::uint64_t bits = words[j].exchange(0, std::memory_order_seq_cst);
        for (; bits != 0; bits &= bits - 1) {
          const auto bit = static_cast<std::size_t>(std::countr_zero(bits));
          if (!visit(i * kSlotsPerChunk + j * 64 + bit)) return false;
        }
      }
    }
    return true;
  }

 private:
  using Words = std::array<std::atomic<std::uint64_t>, kSlotsPerChunk / 64>;
  struct alignas(64) Chunk {
    Words words{};
  };

  static std::uint64_t bit_of(std::size_t slot) { return std::uint64_t{1} << slot % 64; }
  std::atomic<std::uint64_t>& word_of(std::size_t slot) {
    Chunk* chunk = chunks_[slot / kSlotsPerChunk].load(std::memory_order_acquire);
    SR_ASSERT(chunk != nullptr, "a slot number comes from this set");
    return chunk->words[slot % kSlotsPerChunk / 64];
  }

  std::array<std::atomic<Chunk*>, kMaxChunks> chunks_{};
  std::atomic<std::size_t> chunk_count_{0};
};

}  // namespace streamrun
