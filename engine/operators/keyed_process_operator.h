#pragma once

#include <streamrun/operators/keyed_context.h>
#include <streamrun/operators/keyed_operator.h>
#include <streamrun/state/keyed_state.h>

#include <optional>
#include <vector>

namespace streamrun {

/// Flink's KeyedProcessFunction: `process(record, context, output)` with keyed state as members of
/// the function, and operator state too. Each subtask has its own copy of the function. One that
/// has also `on_timer(time, OnTimerContext<K>&, output)` may register timers, which are state as
/// well.
template <typename T, typename K, typename U, typename Selector, typename F>
class KeyedProcessOperator final : public KeyedOperator<K, U> {
 public:
  KeyedProcessOperator(Selector selector, F function)
      : selector_(std::move(selector)), function_(std::move(function)) {}

  void open(const OperatorContext& context, const OperatorSubtaskState& restored) override {
    keyed_context_.subtask_ = context.subtask;
    KeyedOperator<K, U>::open(context, restored);
    timers().open(kHasTimers ? &this->table() : nullptr, context.environment.clock);
  }
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    const std::size_t count = records.size();
    SR_ASSERT(batch->key_hashes.size() == count, "a keyed batch brings its hashes");
    this->records_in_ += count;
    this->table().begin_batch();
    const auto with_key = [&](std::size_t i, auto&& use) {
      RecordRef<T> record = records[i];
      decltype(auto) key = std::invoke(selector_, record);
      use(key);
    };
    this->for_each_located(batch->key_hashes, with_key, [&](std::size_t i, std::byte* home) {
      RecordRef<T> record = records[i];
      decltype(auto) key = std::invoke(selector_, record);
      this->table().set_current(key, batch->key_hashes[i], home);
      timers().key_.set(key, batch->key_hashes[i]);
      function_.process(record, keyed_context_, this->output_);
    });
  }

  bool process_watermark(Timestamp watermark) override {
    timers().advance_to(watermark);
    return fire(timers().event_time_, TimeDomain::event_time, watermark);
  }
  bool has_timers() const override { return kHasTimers; }
  bool fire_due_timers() override {
    TimerDomain<K>& domain = timers().processing_time_;
    if (!domain.earliest()) return false;
    const Timestamp now = timers().current_processing_time();
    if (!domain.is_due(now)) return false;
    fire(domain, TimeDomain::processing_time, now);
    return true;
  }
  std::optional<Instant> next_timer_at() const override {
    return keyed_context_.timers_.next_timer_at();
  }

 protected:
  std::vector<OperatorListState> describe_lists() override {
    return describe_operator_states(function_);
  }
  std::vector<OperatorListState> save_lists() override { return save_operator_states(function_); }
  void restore_lists(const std::vector<OperatorListState>& lists) override {
    restore_operator_states(function_, lists);
  }
  void declare_states(KeyedTableBase& table, const std::string& key_type) override {
    bind_states(function_, table, key_type);
    if constexpr (kHasTimers) timers().bind(table, key_type);
  }

 private:
  static constexpr bool kFiresTimers =
      requires(F & function, Timestamp time, OnTimerContext<K>& context, Output<U>& output) {
    function.on_timer(time, context, output);
  };
  static constexpr bool kNamesOnTimer = requires { &F::on_timer; };
  static_assert(kFiresTimers || !kNamesOnTimer,
                "on_timer takes (Timestamp, OnTimerContext<K>&, Output<U>&) of the function's own "
                "key and output");
  static constexpr bool kHasTimers = kFiresTimers;

  bool fire([[maybe_unused]] TimerDomain<K>& domain, [[maybe_unused]] TimeDomain which,
            [[maybe_unused]] Timestamp now) {
    if constexpr (kHasTimers) {
      if (!domain.is_due(now)) return true;
      this->table().begin_batch();
      keyed_context_.domain_ = which;
      return domain.fire(this->table(), timers().key_, now, [&](Timestamp time) {
        function_.on_timer(time, keyed_context_, this->output_);
      });
    } else {
      return true;
    }
  }
  TimerService<K>& timers() { return keyed_context_.timers_; }

  Selector selector_;
  F function_;
  OnTimerContext<K> keyed_context_;
};

}  // namespace streamrun
