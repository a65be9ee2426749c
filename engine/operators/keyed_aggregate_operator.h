#pragma once

#include <streamrun/operators/keyed_operator.h>

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

namespace streamrun {

/// When an aggregation shows its results.
enum class Emit {
  on_update,        ///< after every record, the running result, as Flink's streaming mode
  at_end_of_input,  ///< once per key when the input has ended, as Flink's batch mode
};

/// An aggregation is a value with
///   Accumulator create(RecordRef<T>) const;            from the first record of a key
///   void add(Accumulator&, RecordRef<T>) const;        each further one
/// and its result function makes an output record of key and accumulator.
template <typename T, typename K, typename U, typename Selector, typename Aggregation,
          typename ResultFunction>
class KeyedAggregateOperator final : public KeyedOperator<K, U> {
 public:
  using Accumulator = typename Aggregation::Accumulator;

  KeyedAggregateOperator(Selector selector, Aggregation aggregation, ResultFunction result,
                         Emit emit)
      : selector_(std::move(selector)),
        aggregation_(std::move(aggregation)),
        result_(std::move(result)),
        emit_(emit) {}

  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    const TrivialVector<std::uint32_t>& hashes = batch->key_hashes;
    SR_ASSERT(hashes.size() == records.size(), "a keyed batch brings its hashes");
    this->records_in_ += hashes.size();
    this->table().begin_batch();
    // Copies, not members: a change of an accumulator can't change them, so they stay in registers.
    const Unchanged unchanged{this->table().changed_header(kItsState), offset_};
    const auto with_key = [&](std::size_t i, auto&& use) {
      decltype(auto) key = key_of(records, i);
      use(key);
    };
    if (emit_ == Emit::on_update) {
      this->for_each_located(hashes, with_key, [&, unchanged](std::size_t i, std::byte* home) {
        const Accumulator& accumulator = add(records, i, hashes[i], home, unchanged);
        this->output_.emit(result_(key_of(records, i), accumulator));
      });
    } else {
      this->for_each_located(hashes, with_key, [&, unchanged](std::size_t i, std::byte* home) {
        add(records, i, hashes[i], home, unchanged);
      });
    }
  }

  /// Emits and forgets key by key: a snapshot taken in the middle, restored at any parallelism,
  /// goes on with the rest.
  bool finish() override {
    if (emit_ == Emit::on_update) return true;
    KeyedTable<K>& rows = this->table();
    return rows.visit(cursor_, kBatchRecords, [&](std::byte* row, int group) {
      rows.before_change(row, group);
      Accumulator& accumulator = *reinterpret_cast<Accumulator*>(row + offset_);
      this->output_.emit(result_(KeyTraits<K>::view(rows.key_of(row)), accumulator));
      accumulator.~Accumulator();
      rows.mark_absent(row, 0);
    });
  }

 protected:
  void declare_states(KeyedTableBase& table, const std::string& key_type) override {
    const int number = table.add_state({.name = "accumulator",
                                        .kind = "aggregating",
                                        .key_type = key_type,
                                        .namespace_type = "void",
                                        .value_type = TypeSerializer<Accumulator>::type_name()},
                                       operations_of<Accumulator>());
    offset_ = table.offset_of(number);
  }

 private:
  static constexpr bool kKeyIsRecord = std::is_same_v<T, std::string> &&
                                       std::is_same_v<K, std::string> &&
                                       std::is_same_v<Selector, std::identity>;

  static constexpr std::uint32_t kItsState = 1;  ///< an aggregation has one
  /// What a row looks like that may change at once, and where its accumulator is.
  struct Unchanged {
    RowHeader header;
    std::size_t offset;
  };

  /// A reference only where the selector's result refers into the record: `std::identity` hands
  /// back even a temporary view by reference.
  using SelectedKey =
      std::conditional_t<std::is_lvalue_reference_v<std::invoke_result_t<Selector&, RecordRef<T>>>,
                         std::invoke_result_t<Selector&, RecordRef<T>>,
                         std::remove_cvref_t<std::invoke_result_t<Selector&, RecordRef<T>>>>;
  SelectedKey key_of(const Batch<T>& records, std::size_t i) {
    return std::invoke(selector_, records[i]);
  }

  Accumulator& add(const Batch<T>& records, std::size_t i, std::uint32_t hash, std::byte* home,
                   Unchanged unchanged) {
    if constexpr (kKeyIsRecord) {
      return add_to(records.slots()[i], records[i], hash, home, unchanged);
    } else {
      // A key that the selector makes must live as long as its probe, which may refer to its bytes.
      decltype(auto) key = key_of(records, i);
      return add_to(KeyTraits<K>::probe(key), records[i], hash, home, unchanged);
    }
  }
  [[gnu::always_inline]] Accumulator& add_to(const typename KeyTraits<K>::Held& probe,
                                             RecordRef<T> record, std::uint32_t hash,
                                             std::byte* home, Unchanged unchanged) {
    if (KeyedTable<K>::is_row_of(home, probe, unchanged.header)) [[likely]] {
      auto* const accumulator = reinterpret_cast<Accumulator*>(home + unchanged.offset);
      aggregation_.add(*accumulator, record);
      return *accumulator;
    }
    return find_and_add(probe, record, hash);
  }
  [[gnu::noinline]] Accumulator& find_and_add(const typename KeyTraits<K>::Held& probe,
                                              RecordRef<T> record, std::uint32_t hash) {
    KeyedTable<K>& rows = this->table();
    const int group = rows.group_of(hash);
    std::byte* const row = rows.find_or_make(probe, hash, group);
    rows.before_change(row, group);
    auto* const accumulator = reinterpret_cast<Accumulator*>(row + offset_);
    if (KeyedTable<K>::header(row).present != 0) [[likely]] {
      aggregation_.add(*accumulator, record);
    } else {
      ::new (static_cast<void*>(accumulator)) Accumulator(aggregation_.create(record));
      rows.mark_present(row, 0);
    }
    return *accumulator;
  }

  Selector selector_;
  Aggregation aggregation_;
  ResultFunction result_;
  Emit emit_;
  std::size_t offset_ = 0;
  typename KeyedTable<K>::Cursor cursor_;
};

}  // namespace streamrun
