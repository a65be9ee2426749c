#pragma once

#include <streamrun/stream/stream_operator.h>
#include <streamrun/stream/watermark_emitter.h>
#include <streamrun/time/periodic_watermarks.h>
#include <streamrun/time/watermark_strategy.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace streamrun {

/// Flink's TimestampsAndWatermarksOperator: looks at the timestamps of records, which pass as they
/// are, and makes watermarks of them.
template <typename T, typename F>
class TimestampsAndWatermarksOperator final : public StreamOperator,
                                              public OutputConnector,
                                              public WatermarkEmitter {
 public:
  explicit TimestampsAndWatermarksOperator(TimestampedWatermarkStrategy<F> strategy)
      : strategy_(std::move(strategy)) {}

  void connect_output(BatchReceiver& receiver) override { receiver_ = &receiver; }
  void open(const OperatorContext& context, const OperatorSubtaskState&) override {
    watermarks_.emplace(strategy_.options, context.watermark_interval);
  }
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    const auto& records = static_cast<const Batch<T>&>(*batch);
    Timestamp latest = kMinTimestamp;
    for (RecordRef<T> record : records)
      latest = std::max<Timestamp>(latest, std::invoke(strategy_.timestamp_of, record));
    const std::size_t count = records.size();
    if (count == 0) return;
    records_ += count;
    watermarks_->on_records(latest);
    receiver_->receive(batch);
  }
  void flush() override {}
  void snapshot(std::shared_ptr<SnapshotPart> part) override { part->done({}); }

  std::optional<WatermarkEvent> next_watermark(Instant now) override {
    return watermarks_->poll(now);
  }
  std::optional<Instant> next_watermark_at() const override { return watermarks_->next_deadline(); }
  void pause_idleness() override { watermarks_->pause(); }

  std::uint64_t records_in() const override { return records_; }
  std::uint64_t records_out() const override { return records_; }

 private:
  TimestampedWatermarkStrategy<F> strategy_;
  std::optional<PeriodicWatermarks> watermarks_;  ///< once open
  BatchReceiver* receiver_ = nullptr;
  std::uint64_t records_ = 0;
};

}  // namespace streamrun
