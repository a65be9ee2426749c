#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace streamrun {

/// A set of channels that is looked through in turn. A second level says which words have any, so
/// that a thousand channels of which few are in it cost no more than these few. One thread.
class ChannelSet {
 public:
  explicit ChannelSet(std::size_t channels)
      : words_((channels + 63) / 64), any_((words_.size() + 63) / 64) {}

  void insert(std::size_t channel) { insert_all(channel / 64, std::uint64_t{1} << channel % 64); }
  /// Channels 64 `word` and up, as bits; at least one.
  void insert_all(std::size_t word, std::uint64_t bits) {
    words_[word] |= bits;
    any_[word / 64] |= std::uint64_t{1} << word % 64;
  }
  void erase(std::size_t channel) {
    std::uint64_t& word = words_[channel / 64];
    word &= ~(std::uint64_t{1} << channel % 64);
    if (word == 0) any_[channel / 4096] &= ~(std::uint64_t{1} << channel / 64 % 64);
  }
  bool contains(std::size_t channel) const {
    return (words_[channel / 64] >> channel % 64 & 1U) != 0;
  }

  /// The first one from `from` on, and then from 0 on, for which `is_wanted(channel)`.
  template <typename F>
  std::optional<std::size_t> next(std::size_t from, F&& is_wanted) const {
    const std::size_t first = from / 64;
    if (any_.size() == 1) return next_in_group(first, from % 64, is_wanted);
    const auto found = in_word(first, ~std::uint64_t{0} << from % 64, is_wanted);
    if (found) return found;
    const auto behind = in_words(first + 1, words_.size(), is_wanted);
    return behind ? behind : in_words(0, first + 1, is_wanted);
  }

 private:
  /// Of a set with one word in the second level: turned, it has them in the order of the search.
  template <typename F>
  std::optional<std::size_t> next_in_group(std::size_t first, std::size_t bit,
                                           F&& is_wanted) const {
    const std::uint64_t any = any_[0];
    if (any == 0) return std::nullopt;
    const auto found = in_word(first, ~std::uint64_t{0} << bit, is_wanted);
    if (found) return found;
    const auto turn = static_cast<int>(first + 1);
    for (std::uint64_t bits = std::rotr(any, turn); bits != 0; bits &= bits - 1) {
      const auto word = static_cast<std::size_t>(turn + std::countr_zero(bits)) % 64;
      if (const auto later = in_word(word, ~std::uint64_t{0}, is_wanted)) return later;
    }
    return std::nullopt;
  }
  template <typename F>
  std::optional<std::size_t> in_word(std::size_t word, std::uint64_t mask, F&& is_wanted) const {
    for (std::uint64_t bits = words_[word] & mask; bits != 0; bits &= bits - 1) {
      const std::size_t channel = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      if (is_wanted(channel)) return channel;
    }
    return std::nullopt;
  }
  template <typename F>
  std::optional<std::size_t> in_words(std::size_t begin, std::size_t end, F&& is_wanted) const {
    for (std::size_t group = begin / 64; group * 64 < end; ++group) {
      for (std::uint64_t bits = any_[group]; bits != 0; bits &= bits - 1) {
        const std::size_t word = group * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        if (word < begin || word >= end) continue;
        if (const auto found = in_word(word, ~std::uint64_t{0}, is_wanted)) return found;
      }
    }
    return std::nullopt;
  }

  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> any_;  ///< a bit for each word
};

}  // namespace streamrun
