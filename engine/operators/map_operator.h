#pragma once

#include <streamrun/operators/one_output_operator.h>

#include <functional>

namespace streamrun {

/// One record out for each record in.
template <typename T, typename U, typename F>
class MapOperator final : public FunctionOperator<U, F> {
 public:
  using FunctionOperator<U, F>::FunctionOperator;
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->records_in_ += records.size();
    for (RecordRef<T> record : records) this->output_.emit(std::invoke(this->function_, record));
  }
};

/// The records for which the predicate holds.
template <typename T, typename F>
class FilterOperator final : public FunctionOperator<T, F> {
 public:
  using FunctionOperator<T, F>::FunctionOperator;
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->records_in_ += records.size();
    for (RecordRef<T> record : records) {
      if (std::invoke(this->function_, record)) this->output_.emit(record);
    }
  }
};

/// Any number of records out: the function emits them.
template <typename T, typename U, typename F>
class FlatMapOperator final : public FunctionOperator<U, F> {
 public:
  using FunctionOperator<U, F>::FunctionOperator;
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->records_in_ += records.size();
    for (RecordRef<T> record : records) this->function_(record, this->output_);
  }
};

/// The form of map and flat_map for jobs that live on speed: the function sees a whole batch.
template <typename T, typename U, typename F>
class BatchFlatMapOperator final : public FunctionOperator<U, F> {
 public:
  using FunctionOperator<U, F>::FunctionOperator;
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->function_(records, this->output_);
  }
};

}  // namespace streamrun
