#pragma once

#include <streamrun/operators/one_output_operator.h>

#include <functional>

namespace streamrun {

/// One record out for each record in.
template <typename T, typename U, typename F>
class MapOperator final : public StatelessOperator<U> {
 public:
  explicit MapOperator(F function) : function_(std::move(function)) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->records_in_ += records.size();
    for (RecordRef<T> record : records) this->output_.emit(std::invoke(function_, record));
  }

 private:
  F function_;
};

/// The records for which the predicate holds.
template <typename T, typename F>
class FilterOperator final : public StatelessOperator<T> {
 public:
  explicit FilterOperator(F predicate) : predicate_(std::move(predicate)) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->records_in_ += records.size();
    for (RecordRef<T> record : records) {
      if (std::invoke(predicate_, record)) this->output_.emit(record);
    }
  }

 private:
  F predicate_;
};

/// Any number of records out: the function emits them.
template <typename T, typename U, typename F>
class FlatMapOperator final : public StatelessOperator<U> {
 public:
  explicit FlatMapOperator(F function) : function_(std::move(function)) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    this->records_in_ += records.size();
    for (RecordRef<T> record : records) function_(record, this->output_);
  }

 private:
  F function_;
};

/// The form of map and flat_map for jobs that live on speed: the function sees a whole batch.
template <typename T, typename U, typename F>
class BatchFlatMapOperator final : public StatelessOperator<U> {
 public:
  explicit BatchFlatMapOperator(F function) : function_(std::move(function)) {}
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    function_(records, this->output_);
  }

 private:
  F function_;
};

}  // namespace streamrun
