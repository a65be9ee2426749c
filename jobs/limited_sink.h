#pragma once

#include <streamrun/stream/sink.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamrun::jobs {

/// Hands batches on to another writer, and after each takes none until its records have had their
/// time.
template <typename T>
class LimitedSinkWriter final : public SinkWriter<T> {
 public:
  LimitedSinkWriter(std::unique_ptr<SinkWriter<T>> inner, double records_per_second)
      : inner_(std::move(inner)), records_per_second_(records_per_second) {}

  void set_restored_committables(const std::vector<std::string>& committables) override {
    inner_->set_restored_committables(committables);
  }
  void open(const OperatorContext& context) override {
    context_ = &context;
    inner_->open(context);
  }
  bool ready() const override {
    return inner_->ready() && context_->environment.clock.now() >= next_;
  }
  std::optional<Instant> ready_at() const override {
    if (!inner_->ready()) return inner_->ready_at();
    return next_;
  }
  void write(const Batch<T>& batch) override {
    if (records_per_second_ > 0) {
      const double seconds =
          static_cast<double>(batch.size()) * context_->parallelism / records_per_second_;
      next_ = std::max(next_, context_->environment.clock.now()) +
              std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    }
    inner_->write(batch);
  }
  void prepare(CheckpointId id, typename SinkWriter<T>::Prepared prepared) override {
    inner_->prepare(id, std::move(prepared));
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return inner_->commit(committables);
  }
  Result<void> remove_leftovers() override { return inner_->remove_leftovers(); }

 private:
  // Constant after `open`.
  std::unique_ptr<SinkWriter<T>> inner_;
  double records_per_second_;
  const OperatorContext* context_ = nullptr;
  // Owned by the task.
  Instant next_{};
};

/// Another sink that takes so many records a second over all its subtasks, 0 for all that come.
template <typename Sink>
struct LimitedSink {
  Sink inner;
  double records_per_second = 0;

  template <typename T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<LimitedSinkWriter<T>>(inner.template make_writer<T>(),
                                                  records_per_second);
  }
  std::string output_folder() const requires requires(const Sink& sink) { sink.output_folder(); }
  { return inner.output_folder(); }
  std::string describe() const { return "slow " + inner.describe(); }
};

}  // namespace streamrun::jobs
