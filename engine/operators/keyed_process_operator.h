#pragma once

#include <streamrun/operators/keyed_operator.h>
#include <streamrun/state/keyed_state.h>

namespace streamrun {

/// What a process function may ask about the record in hand.
template <typename K>
class KeyedContext {
 public:
  typename KeyTraits<K>::Ref key() const { return *key_; }
  int subtask() const { return subtask_; }

 private:
  template <typename, typename, typename, typename, typename>
  friend class KeyedProcessOperator;
  std::optional<std::conditional_t<std::is_reference_v<typename KeyTraits<K>::Ref>,
                                   std::reference_wrapper<const K>, typename KeyTraits<K>::Ref>>
      key_;
  int subtask_ = 0;
};

/// Flink's KeyedProcessFunction: `process(record, context, output)` with keyed state as members of
/// the function. Each subtask has its own copy of the function.
template <typename T, typename K, typename U, typename Selector, typename F>
class KeyedProcessOperator final : public KeyedOperator<K, U> {
 public:
  KeyedProcessOperator(Selector selector, F function)
      : selector_(std::move(selector)), function_(std::move(function)) {}

  void open(const OperatorContext& context, const OperatorSubtaskState& restored) override {
    keyed_context_.subtask_ = context.subtask;
    KeyedOperator<K, U>::open(context, restored);
  }
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    const std::size_t count = records.size();
    SR_ASSERT(batch->key_hashes.size() == count, "a keyed batch brings its hashes");
    this->records_in_ += count;
    this->table().begin_batch();
    this->for_each_located(batch->key_hashes, [&](std::size_t i, std::byte* home) {
      RecordRef<T> record = records[i];
      decltype(auto) key = std::invoke(selector_, record);
      this->table().set_current(key, batch->key_hashes[i], home);
      keyed_context_.key_.emplace(key);
      function_.process(record, keyed_context_, this->output_);
    });
  }

 protected:
  void declare_states(KeyedTableBase& table, const std::string& key_type) override {
    bind_states(function_, table, key_type);
  }

 private:
  Selector selector_;
  F function_;
  KeyedContext<K> keyed_context_;
};

}  // namespace streamrun
