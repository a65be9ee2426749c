#pragma once

#include <streamrun/base/error.h>
#include <streamrun/operators/timer_queue.h>
#include <streamrun/platform/clock.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/timer_state.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>

namespace streamrun {

/// In which time a timer stands: that of the records, as watermarks tell it, or that of the clock.
enum class TimeDomain { event_time, processing_time };

/// The key whose state is in hand, with its hash. What it refers to must last as long.
template <Key K>
class CurrentKey {
 public:
  using Ref = typename KeyTraits<K>::Ref;
  Ref get() const { return *ref_; }
  std::uint32_t hash() const { return hash_; }
  void set(Ref key, std::uint32_t hash) {
    ref_.emplace(key);
    hash_ = hash;
  }

 private:
  std::optional<std::conditional_t<std::is_reference_v<Ref>, std::reference_wrapper<const K>, Ref>>
      ref_;
  std::uint32_t hash_ = 0;
};

/// Timers of all keys of an operator in one time domain: the state that holds them, and an index of
/// it by time. Owner's thread.
template <Key K>
class TimerDomain {
 public:
  explicit TimerDomain(std::string state_name) : state_(std::move(state_name)) {}

  void bind(KeyedTableBase& table, const std::string& key_type) { state_.bind(table, key_type); }
  /// Makes the index of what was restored.
  void restore(KeyedTable<K>& table) {
    const auto index_row = [&](std::byte* row, int) {
      decltype(auto) key = KeyTraits<K>::view(table.key_of(row));
      const std::uint32_t hash = key_hash_of<K>(key);
      table.set_current(key, hash);
      const TimerState::Times* const times = state_.get();
      if (times == nullptr) return;
      for (const Timestamp time : *times) queue_.push(time, key, hash);
      alive_ += times->size();
    };
    typename KeyedTable<K>::Cursor cursor;
    while (!table.visit(cursor, kBatch, index_row)) {
    }
  }

  // For the current key, which `key` is.
  void add(KeyedTable<K>& table, const CurrentKey<K>& key, Timestamp time) {
    if (!state_.add(time)) return;
    ++alive_;
    queue_.push(time, key.get(), key.hash());
    if (queue_.size() > 2 * alive_ + kBatch) clean_up(table, key);
  }
  void remove(Timestamp time) {
    if (state_.remove(time)) --alive_;
  }

  bool is_due(Timestamp now) const { return queue_.is_due(now); }
  /// Perhaps of one that is deleted.
  std::optional<Timestamp> earliest() const {
    return queue_.empty() ? std::nullopt : std::optional(queue_.earliest());
  }
  /// Calls `on_timer(time)` for timers that are due, in the order of their times, with `key` and
  /// the table's current key set: a bounded number, and says whether that was all.
  template <typename F>
  bool fire(KeyedTable<K>& table, CurrentKey<K>& key, Timestamp now, F&& on_timer) {
    for (std::size_t left = kBatch; queue_.is_due(now); --left) {
      if (left == 0) return false;
      const typename TimerQueue<K>::Entry timer = queue_.pop();
      key.set(timer.key, timer.hash);
      table.set_current(timer.key, timer.hash);
      if (!state_.remove(timer.time)) continue;
      --alive_;
      on_timer(timer.time);
    }
    return true;
  }

 private:
  static constexpr std::size_t kBatch = 1024;

  void clean_up(KeyedTable<K>& table, const CurrentKey<K>& key) {
    std::size_t looked_at = 0;
    queue_.clean_up([&](const typename TimerQueue<K>::Entry& entry) {
      if (++looked_at % kBatch == 0) table.let_go_of_rows();
      table.set_current(entry.key, entry.hash);
      return state_.contains(entry.time);
    });
    table.set_current(key.get(), key.hash());
  }

  TimerState state_;
  TimerQueue<K> queue_;
  std::size_t alive_ = 0;  ///< in the state
};

/// Flink's TimerService, for the key of the record or timer in hand. There is one timer for each
/// key, time and domain, however often it is registered. `on_timer` of the function is called with
/// event-time timers once a watermark reaches their time, in order, before the watermark goes on;
/// with processing-time timers once the clock does. Those that are left when the input ends fire in
/// event time, and do not in processing time.
template <Key K>
class TimerService {
 public:
  /// `kMinTimestamp` before the first.
  Timestamp current_watermark() const { return watermark_; }
  Timestamp current_processing_time() const { return clock_->unix_milliseconds(); }

  /// E-USAGE for a function without `on_timer`.
  void register_event_time_timer(Timestamp time) { add(event_time_, time); }
  void register_processing_time_timer(Timestamp time) { add(processing_time_, time); }
  /// Does nothing if there is no such timer.
  void delete_event_time_timer(Timestamp time) { remove(event_time_, time); }
  void delete_processing_time_timer(Timestamp time) { remove(processing_time_, time); }

 private:
  template <typename, typename, typename, typename, typename>
  friend class KeyedProcessOperator;
  template <Key>
  friend class KeyedContext;

  void bind(KeyedTableBase& table, const std::string& key_type) {
    event_time_.bind(table, key_type);
    processing_time_.bind(table, key_type);
  }
  /// `table` is null for a function without `on_timer`.
  void open(KeyedTable<K>* table, const Clock& clock) {
    table_ = table;
    clock_ = &clock;
    if (table == nullptr) return;
    event_time_.restore(*table);
    processing_time_.restore(*table);
  }
  void advance_to(Timestamp watermark) { watermark_ = std::max(watermark_, watermark); }
  /// When the clock will have come to the next timer of its domain, as far as one can tell: looked
  /// at again each hour, as the clock on the wall may be set.
  std::optional<Instant> next_timer_at() const {
    const std::optional<Timestamp> next = processing_time_.earliest();
    if (!next) return std::nullopt;
    constexpr Timestamp kHour = 3'600'000;
    const Timestamp now = clock_->unix_milliseconds();
    const Timestamp left = *next <= now ? 0 : std::min(*next - now, kHour);
    return clock_->now() + std::chrono::milliseconds(left);
  }

  void add(TimerDomain<K>& domain, Timestamp time) {
    if (table_ == nullptr) refuse();
    domain.add(*table_, key_, time);
  }
  void remove(TimerDomain<K>& domain, Timestamp time) {
    if (table_ == nullptr) refuse();
    domain.remove(time);
  }
  [[noreturn]] static void refuse() {
    throw_error({.code = ErrorCode::usage,
                 .message = "a function without on_timer has no timers",
                 .tries = {"give it a member on_timer(Timestamp, OnTimerContext<K>&, Output<U>&)"},
                 .retry = Retry::no});
  }

  CurrentKey<K> key_;
  TimerDomain<K> event_time_{"_timer_state/event_user-timers"};
  TimerDomain<K> processing_time_{"_timer_state/processing_user-timers"};
  Timestamp watermark_ = kMinTimestamp;
  KeyedTable<K>* table_ = nullptr;
  const Clock* clock_ = nullptr;
};

}  // namespace streamrun
