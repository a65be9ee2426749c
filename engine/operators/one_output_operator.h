#pragma once

#include <streamrun/stream/output.h>
#include <streamrun/stream/stream_operator.h>

#include <utility>

namespace streamrun {

/// What operators with one output of U share.
template <typename U>
class OneOutputOperator : public StreamOperator, public OutputConnector {
 public:
  void connect_output(BatchReceiver& receiver) override { output_.connect(receiver); }
  void flush() override { output_.flush(); }
  std::uint64_t records_in() const override { return records_in_; }
  std::uint64_t records_out() const override { return output_.records(); }

 protected:
  Output<U> output_;
  std::uint64_t records_in_ = 0;
};

/// An operator without state: it opens and snapshots trivially.
template <typename U>
class StatelessOperator : public OneOutputOperator<U> {
 public:
  void open(const OperatorContext&, const OperatorSubtaskState&) override {}
  void snapshot(std::shared_ptr<SnapshotPart> part) override { part->done({}); }
};

}  // namespace streamrun
