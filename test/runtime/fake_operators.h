#pragma once

#include <streamrun/operators/source_operator.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// What fake operators are to do, and what was done with them, in order.
struct Script {
  std::vector<std::string> calls;
  std::vector<std::uint32_t> key_hashes;  ///< of records behind a keyed exchange
  bool ready = true;
  std::optional<Instant> ready_at = {};
  bool throw_on_record = false;
  std::optional<Error> throw_on_open;
  int finish_steps = 1;
  int advances_left = 0;
  bool hold_snapshots = false;
  std::vector<std::shared_ptr<SnapshotPart>> held;
  bool hold_completions = false;
  std::vector<std::function<void()>> completions;
};

inline std::string join_calls(const Script& script) {
  std::string all;
  for (const std::string& call : script.calls) all += (all.empty() ? "" : ", ") + call;
  return all;
}

/// A state that tells its operator and snapshot.
inline OperatorSubtaskState state_of(const std::string& name, CheckpointId id) {
  OperatorSubtaskState state;
  state.lists.push_back({.name = name, .type = "", .elements = {std::to_string(id)}});
  return state;
}

/// Passes numbers on, with 100 added, and writes down what happens to it.
class FakeOperator : public OneOutputOperator<std::int64_t> {
 public:
  FakeOperator(std::string name, Script& script) : name_(std::move(name)), script_(script) {}

  void open(const OperatorContext&, const OperatorSubtaskState& restored) override {
    log(restored.empty() ? "open" : "open from " + restored.lists[0].elements[0]);
    if (script_.throw_on_open) throw_error(*script_.throw_on_open);
  }
  void commit_recovered() override { log("commit recovered"); }
  void remove_leftovers() override { log("remove leftovers"); }
  bool ready() const override { return script_.ready; }
  std::optional<Instant> ready_at() const override { return script_.ready_at; }
  void receive(std::unique_ptr<AnyBatch>& batch) override {
    script_.key_hashes.insert(script_.key_hashes.end(), batch->key_hashes.begin(),
                              batch->key_hashes.end());
    for (const std::int64_t number : static_cast<const Batch<std::int64_t>&>(*batch)) {
      ++records_in_;
      log(std::to_string(number));
      if (script_.throw_on_record) throw std::runtime_error("no such number");
      output_.emit(number + 100);
    }
  }
  bool finish() override {
    log("finish");
    return --script_.finish_steps <= 0;
  }
  void prepare_snapshot(CheckpointId id) override {
    log("prepare " + std::to_string(id));
    output_.emit(std::int64_t{
        1000 + id});  // the last moment at which a record still belongs to the snapshot
  }
  void snapshot(std::shared_ptr<SnapshotPart> part) override {
    log("snapshot " + std::to_string(part->barrier.id));
    if (script_.hold_snapshots) return script_.held.push_back(std::move(part));
    part->done(state_of(name_, part->barrier.id));
  }
  bool advance_snapshots() override {
    return script_.advances_left > 0 && --script_.advances_left > 0;
  }
  void notify_complete(CheckpointId id, std::function<void()> done) override {
    log("complete " + std::to_string(id));
    if (script_.hold_completions) return script_.completions.push_back(std::move(done));
    done();
  }
  void notify_aborted(CheckpointId id) override { log("aborted " + std::to_string(id)); }

 protected:
  void log(const std::string& what) { script_.calls.push_back(name_ + ": " + what); }
  std::string name_;
  Script& script_;
};

/// Emits the numbers that the test puts into it.
class FakeSource final : public FakeOperator, public SourceOperatorBase {
 public:
  FakeSource(std::string name, Script& script) : FakeOperator(std::move(name), script) {}
  void prepare_snapshot(CheckpointId) override {}
  void set_ask_for_split(std::function<void()>) override {}
  void start() override { log("start"); }
  void add_split(const std::string& split) override { log("split " + split); }
  void no_more_splits() override { ended = true; }
  SourceStatus poll() override {
    if (numbers.empty()) return ended ? SourceStatus::ended : SourceStatus::idle;
    output_.emit(std::int64_t{numbers.front()});
    numbers.pop_front();
    return SourceStatus::more;
  }
  std::optional<Instant> next_deadline() const override { return Instant(Duration(77)); }

  std::deque<std::int64_t> numbers;
  bool ended = false;
};

}  // namespace streamrun
