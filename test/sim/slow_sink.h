#pragma once

#include <streamrun/connectors/file/line_format.h>
#include <streamrun/stream/sink.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/sim_hooks.h"

namespace streamrun::sim {

/// A sink that takes nothing for a while after a batch, so that records queue before it.
template <typename T>
class SlowWriter final : public SinkWriter<T> {
 public:
  SlowWriter(std::unique_ptr<SinkWriter<T>> writer, SimHooks& hooks)
      : writer_(std::move(writer)), hooks_(hooks) {}

  std::string committable_type() const override { return writer_->committable_type(); }
  bool commits_in_order() const override { return writer_->commits_in_order(); }
  void set_restored_committables(const std::vector<std::string>& committables) override {
    writer_->set_restored_committables(committables);
  }
  void open(const OperatorContext& context) override {
    clock_ = &context.environment.clock;
    writer_->open(context);
  }
  bool ready() const override { return clock_->now() >= next_ && writer_->ready(); }
  std::optional<Instant> ready_at() const override {
    return clock_->now() < next_ ? next_ : writer_->ready_at();
  }
  void write(const Batch<T>& batch) override {
    next_ = clock_->now() + hooks_.sink_pause();
    writer_->write(batch);
  }
  void prepare(CheckpointId id, typename SinkWriter<T>::Prepared prepared) override {
    writer_->prepare(id, std::move(prepared));
  }
  Result<void> commit(const std::vector<std::string>& committables) override {
    return writer_->commit(committables);
  }
  Result<void> remove_leftovers() override { return writer_->remove_leftovers(); }

 private:
  std::unique_ptr<SinkWriter<T>> writer_;
  SimHooks& hooks_;
  const Clock* clock_ = nullptr;
  Instant next_{};
};

template <typename Sink>
struct SlowSink {
  Sink sink;
  SimHooks* hooks = nullptr;

  template <LineWritable T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<SlowWriter<T>>(sink.template make_writer<T>(), *hooks);
  }
  std::string describe() const { return sink.describe(); }
};

}  // namespace streamrun::sim
