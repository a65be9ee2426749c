#pragma once

#include <streamrun/operators/one_output_operator.h>
#include <streamrun/stream/source.h>
#include <streamrun/stream/watermark_emitter.h>
#include <streamrun/time/split_watermarks.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// What the runtime needs of a source operator without knowing T.
class SourceOperatorBase {
 public:
  virtual ~SourceOperatorBase() = default;
  /// Before `open`: how the reader asks the enumerator.
  virtual void set_ask_for_split(std::function<void()> ask) = 0;
  virtual void start() = 0;
  virtual void add_split(const std::string& split) = 0;
  virtual void no_more_splits() = 0;
  virtual SourceStatus poll() = 0;
  virtual std::optional<Instant> next_deadline() const = 0;
};

/// The list state in which a reader's splits are kept: the JobMaster hands them back to the
/// enumerator on a restore.
inline constexpr const char* kSplitsState = "splits";

template <typename T>
class SourceOperator : public OneOutputOperator<T>, public SourceOperatorBase {
 public:
  explicit SourceOperator(std::unique_ptr<SourceReader<T>> reader) : reader_(std::move(reader)) {}

  OperatorStateShape state_shape() override { return {.keyed = {}, .lists = {splits_state({})}}; }
  void set_ask_for_split(std::function<void()> ask) override { ask_ = std::move(ask); }
  void open(const OperatorContext& context, const OperatorSubtaskState&) override {
    reader_->open(context, ask_);
  }
  void receive(std::unique_ptr<AnyBatch>&) override { SR_ASSERT(false, "a source has no input"); }
  void start() override { reader_->start(); }
  void add_split(const std::string& split) override { reader_->add_split(split); }
  void no_more_splits() override { reader_->no_more_splits(); }
  SourceStatus poll() override { return reader_->poll(this->output_); }
  std::optional<Instant> next_deadline() const override { return reader_->next_deadline(); }
  void snapshot(std::shared_ptr<SnapshotPart> part) override {
    OperatorSubtaskState state;
    std::vector<std::string> splits = reader_->snapshot();
    if (!splits.empty()) state.lists.push_back(splits_state(std::move(splits)));
    reader_->snapshot_taken(part->barrier.id);
    part->done(std::move(state));
  }
  void notify_complete(CheckpointId id, std::function<void()> done) override {
    reader_->notify_checkpoint_complete(id);
    done();
  }

 private:
  static OperatorListState splits_state(std::vector<std::string> splits) {
    return {.name = kSplitsState,
            .type = "split:1",
            .redistribution = Redistribution::split,
            .elements = std::move(splits)};
  }

 protected:
  SourceReader<T>& reader() { return *reader_; }

 private:
  std::unique_ptr<SourceReader<T>> reader_;
  std::function<void()> ask_;
};

/// Makes watermarks of the timestamps that records have at their source, split by split.
template <typename T>
class WatermarkedSourceOperator final : public SourceOperator<T>,
                                        public WatermarkEmitter,
                                        private SplitObserver {
 public:
  WatermarkedSourceOperator(std::unique_ptr<SourceReader<T>> reader,
                            const WatermarkOptions& options)
      : SourceOperator<T>(std::move(reader)), options_(options) {}

  void open(const OperatorContext& context, const OperatorSubtaskState& restored) override {
    watermarks_.emplace(options_, context.watermark_interval);
    const bool has_timestamps = this->reader().observe_splits(*this);
    SR_ASSERT(has_timestamps, "a source that is asked for watermarks has timestamps");
    SourceOperator<T>::open(context, restored);
  }
  std::optional<WatermarkEvent> next_watermark(Instant now) override {
    return watermarks_->poll(now);
  }
  std::optional<Instant> next_watermark_at() const override { return watermarks_->next_deadline(); }
  void pause_idleness() override { watermarks_->pause(); }

 private:
  void split_added() override { watermarks_->add_split(); }
  void records_emitted(std::size_t split, Timestamp latest) override {
    watermarks_->on_records(split, latest);
  }
  void split_ended(std::size_t split) override { watermarks_->end_split(split); }

  const WatermarkOptions options_;
  std::optional<SplitWatermarks> watermarks_;  ///< once open
};

}  // namespace streamrun
