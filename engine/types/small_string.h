#pragma once

#include <streamrun/base/assert.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamrun {

/// 16 bytes that hold a string of up to 15 bytes themselves, zero-padded, and refer to longer ones
/// by address. Two inline strings are equal exactly if their 16 bytes are, which is one vector
/// comparison. A long one does not own its bytes: they live in the arena of the batch or table that
/// holds the slot.
class alignas(16) SmallString {
 public:
  static constexpr std::size_t kInlineLimit = 15;

  SmallString() { std::memset(bytes_, 0, sizeof bytes_); }

  bool is_inline() const { return tag() <= kInlineLimit; }
  std::size_t size() const { return is_inline() ? tag() : long_size(); }
  std::string_view view() const {
    return is_inline() ? std::string_view(bytes_, tag())
                       : std::string_view(long_data(), long_size());
  }

  /// `text` of at most 15 bytes.
  static SmallString from_short(std::string_view text) {
    SmallString slot;
    if (!text.empty())
      std::memcpy(slot.bytes_, text.data(), text.size());  // an empty view may be of null
    slot.bytes_[15] = static_cast<char>(text.size());
    return slot;
  }
  /// Refers to `text` of more than 15 and less than 2^32 bytes, which must stay where it is.
  static SmallString refer_to(std::string_view text) {
    SmallString slot;
    const char* data = text.data();
    const auto size = static_cast<std::uint32_t>(text.size());
    std::memcpy(slot.bytes_, &data, sizeof data);
    std::memcpy(slot.bytes_ + 8, &size, sizeof size);
    slot.bytes_[15] = static_cast<char>(kLongTag);
    return slot;
  }

  bool operator==(const SmallString& other) const {
    if (same_bytes(other)) return true;
    return !is_inline() && !other.is_inline() && view() == other.view();
  }
  char* raw() { return bytes_; }
  const char* raw() const { return bytes_; }

 private:
  static constexpr unsigned kLongTag = 0xff;

  unsigned tag() const { return static_cast<std::uint8_t>(bytes_[15]); }
  const char* long_data() const {
    const char* data = nullptr;
    std::memcpy(&data, bytes_, sizeof data);
    return data;
  }
  std::uint32_t long_size() const {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes_ + 8, sizeof size);
    return size;
  }
  bool same_bytes(const SmallString& other) const {
#if defined(__SSE2__)
    const __m128i a = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes_));
    const __m128i b = _mm_load_si128(reinterpret_cast<const __m128i*>(other.bytes_));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) == 0xffff;
#else
    return std::memcmp(bytes_, other.bytes_, sizeof bytes_) == 0;
#endif
  }

  char bytes_[16];
};

/// Bytes that never move while they are in use: blocks, filled one after another. One thread at a
/// time.
class StringArena {
 public:
  /// A copy of `text` that stays until `clear`.
  std::string_view store(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) add_block(text.size());
    char* const to = next_;
    std::memcpy(to, text.data(), text.size());
    next_ += text.size();
    left_ -= text.size();
    used_ += text.size();
    return {to, text.size()};
  }
  SmallString hold(std::string_view text) {
    return text.size() <= SmallString::kInlineLimit ? SmallString::from_short(text)
                                                    : SmallString::refer_to(store(text));
  }
  std::size_t used_bytes() const { return used_; }
  /// Forgets everything, keeping the newest block for use again.
  void clear() {
    if (blocks_.empty()) return;
    if (blocks_.size() > 1) {
      std::swap(blocks_.front(), blocks_.back());
      blocks_.resize(1);
    }
    next_ = blocks_.front().bytes.get();
    left_ = blocks_.front().size;
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  void add_block(std::size_t wanted) {
    const std::size_t grown =
        blocks_.empty() ? 4096 : std::min<std::size_t>(blocks_.back().size * 2, 1U << 20U);
    const std::size_t size = std::max(wanted, grown);
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    next_ = blocks_.back().bytes.get();
    left_ = size;
  }

  std::vector<Block> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t used_ = 0;
};

}  // namespace streamrun
