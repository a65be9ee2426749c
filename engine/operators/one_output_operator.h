#pragma once

#include <streamrun/state/operator_state.h>
#include <streamrun/stream/output.h>
#include <streamrun/stream/stream_operator.h>

#include <memory>
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

/// A function between input and output, without keyed state. Its operator state, if it has some, is
/// what `states()` names.
template <typename U, typename F>
class FunctionOperator : public OneOutputOperator<U> {
 public:
  explicit FunctionOperator(F function) : function_(std::move(function)) {}
  OperatorStateShape state_shape() override {
    OperatorStateShape shape;
    if constexpr (NamesStates<F>) shape.lists = describe_operator_states(function_);
    return shape;
  }
  void open(const OperatorContext&, const OperatorSubtaskState& restored) override {
    if constexpr (NamesStates<F>) restore_operator_states(function_, restored.lists);
  }
  void snapshot(std::shared_ptr<SnapshotPart> part) override {
    OperatorSubtaskState state;
    if constexpr (NamesStates<F>) state.lists = save_operator_states(function_);
    part->done(std::move(state));
  }

 protected:
  F function_;
};

}  // namespace streamrun
