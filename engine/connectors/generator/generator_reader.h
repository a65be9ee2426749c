#pragma once

#include <streamrun/connectors/generator/index_split.h>
#include <streamrun/connectors/generator/rate_limit.h>
#include <streamrun/stream/source.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// Calls a function with each index of its splits, a batch from each split in turn.
template <typename T>
class GeneratorReader final : public SourceReader<T> {
 public:
  GeneratorReader(std::function<T(std::uint64_t)> make, double records_per_second)
      : make_(std::move(make)), records_per_second_(records_per_second) {}

  void open(const OperatorContext& context, std::function<void()> ask_for_split) override {
    context_ = &context;
    ask_ = std::move(ask_for_split);
    rate_ = RateLimit(records_per_second_ / context.parallelism);
  }
  void start() override { ask_(); }
  void add_split(const std::string& split) override {
    splits_.push_back(value_or_throw(decode_index_split(split)));
  }
  void no_more_splits() override { no_more_ = true; }

  SourceStatus poll(Output<T>& output) override {
    deadline_.reset();
    if (splits_.empty()) return no_more_ ? SourceStatus::ended : SourceStatus::idle;
    const std::uint64_t count = rate_.is_unlimited() ? kBatchRecords : take_from_rate();
    emit(count, output);
    if (splits_.empty() && no_more_) return SourceStatus::ended;
    return count > 0 ? SourceStatus::more : SourceStatus::idle;
  }
  std::optional<Instant> next_deadline() const override { return deadline_; }

  std::vector<std::string> snapshot() const override {
    std::vector<std::string> splits;
    for (const IndexSplit& split : splits_) splits.push_back(encode_index_split(split));
    return splits;
  }

 private:
  std::uint64_t take_from_rate() {
    const Instant now = context_->environment.clock.now();
    const std::uint64_t count = rate_.take(now, kBatchRecords);
    if (count == 0) deadline_ = rate_.next(now);
    return count;
  }

  void emit(std::uint64_t count, Output<T>& output) {
    while (count > 0 && !splits_.empty()) {
      turn_ = turn_ < splits_.size() ? turn_ : 0;
      IndexSplit& split = splits_[turn_];
      for (; count > 0 && !split.is_read(); --count) {
        output.emit(make_(split.next));
        split.advance();
      }
      if (split.is_read()) {
        splits_.erase(splits_.begin() + static_cast<std::ptrdiff_t>(turn_));
      } else {
        ++turn_;
      }
    }
    output.flush();
  }

  // Constant after `open`.
  const std::function<T(std::uint64_t)> make_;
  const double records_per_second_;
  const OperatorContext* context_ = nullptr;
  std::function<void()> ask_;

  // Owned by the task.
  std::vector<IndexSplit> splits_;  // none of them read to its end
  std::size_t turn_ = 0;
  RateLimit rate_;
  std::optional<Instant> deadline_;
  bool no_more_ = false;
};

}  // namespace streamrun
