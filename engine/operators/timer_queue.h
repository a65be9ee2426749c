#pragma once

#include <streamrun/time/timestamp.h>
#include <streamrun/types/key_traits.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace streamrun {

/// Which timers of which keys come next: an index over the timers that keyed state holds, in
/// memory. It may name timers that are deleted, and one twice, so that a deletion need not look for
/// its place: what it gives has to be looked up in the state.
template <Key K>
class TimerQueue {
 public:
  using Ref = typename KeyTraits<K>::Ref;
  struct Entry {
    Timestamp time;
    std::uint32_t hash;  ///< of the key
    K key;
  };

  void push(Timestamp time, Ref key, std::uint32_t hash) {
    entries_.push_back({time, hash, K(key)});
    std::push_heap(entries_.begin(), entries_.end(), is_later);
  }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// Not of an empty one.
  Timestamp earliest() const { return entries_.front().time; }
  bool is_due(Timestamp now) const { return !empty() && earliest() <= now; }
  Entry pop() {
    std::pop_heap(entries_.begin(), entries_.end(), is_later);
    Entry entry = std::move(entries_.back());
    entries_.pop_back();
    return entry;
  }
  /// Drops what is there twice, and that for which `is_alive(entry)` is false.
  template <typename F>
  void clean_up(F&& is_alive) {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.time != b.time ? a.time < b.time : a.hash < b.hash;
    });
    // What is in order is a heap too.
    entries_.erase(std::unique(entries_.begin(), entries_.end(), are_equal), entries_.end());
    std::erase_if(entries_, [&](const Entry& entry) { return !is_alive(entry); });
  }

 private:
  static bool is_later(const Entry& a, const Entry& b) { return a.time > b.time; }
  static bool are_equal(const Entry& a, const Entry& b) {
    return a.time == b.time && a.hash == b.hash && detail::java_equal(a.key, b.key);
  }

  std::vector<Entry> entries_;  ///< a heap
};

}  // namespace streamrun
